//! What is read in one pass, or remembered within an edit, is what asking anew would say.

use node_document::{Edit, EditError, View};

use crate::world::{Hub, Random};

const LISTS: [&str; 2] = ["list", "lists"];

/// One step of an edit that goes on for long.
fn step(edit: &mut Edit<'_>, random: &mut Random, number: usize) -> Result<(), EditError> {
    let list = LISTS[random.below(2)];
    let items = edit.items(&[list]);
    let any = (!items.is_empty()).then(|| items[random.below(items.len())].clone());
    let new = format!("i{number}");
    match (random.below(10), any) {
        (0 | 1, Some(after)) => edit.place_item(&[list], &new, Some(&after)),
        (2, Some(moved)) => {
            let after = edit.last_item(&[list]).filter(|last| *last != moved);
            edit.place_item(&[list], &moved, after.as_deref())
        }
        (3, Some(gone)) => {
            edit.remove_item(&[list], &gone)?;
            assert!(!edit.has_item(&[list], &gone));
            // It comes back where it was.
            if random.below(2) == 0 {
                edit.keep_item(&[list], &gone)?;
            }
            Ok(())
        }
        (4, _) => edit.keep_item(&[list], &new),
        (5, Some(item)) => edit.put(&[list, &item], &true.into()),
        (6, Some(item)) => edit.clear(&[list, &item]),
        (7, _) => edit.increment(&["count"], 1),
        (8, _) => edit.update_text(&["text"], &format!("Step {number}. It went well.")),
        (_, Some(item)) => edit.put(&[list, &item, "a/b~c"], &i64::from(number as u8).into()),
        (_, None) => {
            let last = edit.last_item(&[list]);
            edit.place_item(&[list], &new, last.as_deref())
        }
    }
}

/// Everything that a view says, by a way of asking.
fn told(view: &View<'_>) -> Vec<String> {
    let mut told = vec![format!("{:?} {:?}", view.fields(), view.contested())];
    let mut ask = |path: &[&str]| {
        told.push(format!(
            "{path:?}: {:?} {:?} {:?} {:?} {:?}",
            view.get(path),
            view.values(path),
            view.versions(path),
            view.children(path),
            view.writings(path),
        ));
    };
    for field in ["text", "count", "none", "list", "lists"] {
        ask(&[field]);
    }
    for list in LISTS {
        for item in view.items(&[list]) {
            ask(&[list, &item]);
            ask(&[list, &item, "a/b~c"]);
        }
    }
    for list in LISTS {
        for item in view.items(&[list]) {
            assert!(view.has_item(&[list], &item));
            let (author, writers) = (
                view.item_author(&[list], &item),
                view.item_writers(&[list], &item),
            );
            told.push(format!("{list}/{item}: {author:?} {writers:?}"));
        }
    }
    told
}

#[test]
fn one_pass_and_a_remembered_order_say_what_asking_anew_says() {
    for seed in 0..20 {
        let mut random = Random(seed);
        let mut hubs = [Hub::new(3), Hub::new(4)];
        let mut pages = Vec::new();
        let mut number = 0;
        for _ in 0..12 {
            let at = random.below(2);
            let mut ordered = Vec::new();
            let entry = hubs[at].edit(|edit| {
                for _ in 0..12 {
                    number += 1;
                    step(edit, &mut random, number)?;
                }
                ordered = LISTS.map(|list| edit.items(&[list])).to_vec();
                Ok(())
            });
            let document = &hubs[at].document;
            let anew = LISTS.map(|list| document.view().items(&[list]));
            assert_eq!(ordered, anew, "seed {seed}");
            pages.push(entry);
            if random.below(3) == 0 {
                hubs[0].document.apply(&pages);
                hubs[1].document.apply(&pages);
            }
            let document = &hubs[at].document;
            let (now, then) = (document.view(), document.heads_on(3_000));
            let then = document.view_at(&then).expect("its own");
            for view in [now, then] {
                assert_eq!(told(&view.whole()), told(&view), "seed {seed}");
            }
        }
    }
}
