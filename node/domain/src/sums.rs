//! Sums over a log, by what its items are.

use node_document::{Value, View};

use crate::declaration::{Kind, Test};
use crate::fields::Fields;

/// What the items of a log with one value in common come to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Sum {
    /// The log.
    pub log: &'static str,
    /// The field that they have in common.
    pub by: &'static str,
    /// Its value.
    pub value: String,
    /// How many items there are.
    pub items: u64,
    /// The sum of their numbers.
    pub sum: i64,
}

/// The sums of the logs that a kind's watches add up, in the order in which the values come first.
/// Every item counts once, a correction as what it says.
pub fn sums(view: &View<'_>, kind: &'static Kind) -> Vec<Sum> {
    let mut sums = Vec::<Sum>::new();
    for watch in kind.watches {
        let Test::Over {
            log,
            sum: number,
            of: (by, _),
            ..
        } = watch.test
        else {
            continue;
        };
        for item in Fields::items(view, &[log]) {
            let get = |part: &str| Fields::get(view, &[log, &item, part]);
            let Some(Value::Int(number)) = get(number) else {
                continue;
            };
            let value = get(by);
            let value = value.as_ref().and_then(Value::as_str).unwrap_or_default();
            let known = sums
                .iter_mut()
                .find(|sum| (sum.log, sum.by, sum.value.as_str()) == (log, by, value));
            match known {
                Some(sum) => {
                    sum.items += 1;
                    sum.sum = sum.sum.saturating_add(number);
                }
                None => sums.push(Sum {
                    log,
                    by,
                    value: value.to_owned(),
                    items: 1,
                    sum: number,
                }),
            }
        }
    }
    sums
}
