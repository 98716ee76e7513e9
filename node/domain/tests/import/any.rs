//! Whatever stands in a table, a plan comes of it.

use node_domain::{ImportInto, KINDS, Sheet, SheetRow};
use proptest::prelude::*;
use serde_json::json;

use crate::world::{Held, Register, none, options, school};

fn targets() -> Vec<ImportInto> {
    let records = KINDS.into_iter().map(ImportInto::Records);
    let items = KINDS.into_iter().flat_map(|kind| {
        let lists = kind.fields.iter();
        lists.filter_map(|list| ImportInto::items(kind, list.name))
    });
    records.chain(items).collect()
}

fn heading() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("Title".to_owned()),
        Just("Name".to_owned()),
        Just("School".to_owned()),
        Just("Session 2 date".to_owned()),
        Just("Participant".to_owned()),
        Just("Amount".to_owned()),
        "\\PC{0,12}",
    ]
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,16}",
        "[0-9./: £,()-]{0,12}",
        "[0-9]{1,2}[/. ][0-9]{1,2}[/. ][0-9]{2,4}",
        Just("St".to_owned()),
        Just("#REF!".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn any_table_gives_a_plan(
        headers in prop::collection::vec(heading(), 0..6),
        rows in prop::collection::vec(prop::collection::vec(cell(), 0..7), 0..6),
        at in any::<prop::sample::Index>(),
        path in "[a-z@/0-9]{0,12}",
        given in cell(),
    ) {
        let register = Register(vec![school("1", "St A"), school("2", "St B")]);
        let rows = rows.into_iter().enumerate();
        let rows = rows.map(|(number, cells)| SheetRow { number, cells }).collect();
        let targets = targets();
        let into = targets[at.index(targets.len())];
        let said = headers.first().map(|header| json!({header.clone(): path}));
        let said = options(json!({
            "columns": said.unwrap_or(json!({})), "defaults": {"title": given},
        }));
        let sheet = Sheet { headers, rows };
        let held = Held::default();
        held.plan(into, &sheet, &said, Some(&register)).report();
        let plan = held.plan(into, &sheet, &none(), Some(&register));
        prop_assert!(plan.rows.is_empty() || plan.rows.len() == sheet.rows.len());
        // And the second time it adds nothing.
        held.carry_out(into, &plan);
        let again = held.plan(into, &sheet, &none(), Some(&register)).counts();
        prop_assert_eq!((again.new, again.changed), (0, 0));
    }
}
