//! What people see of a document.

use node_document::{Heads, Value};

use crate::world::Hub;

/// Two hubs that start from the same document.
fn pair(first: impl FnOnce(&mut Hub)) -> (Hub, Hub) {
    let mut left = Hub::new(3);
    first(&mut left);
    let mut right = Hub::new(4);
    right.document = left.document.clone();
    (left, right)
}

#[test]
fn concurrent_values_stay_with_author_time_and_what_stood_before() {
    let (mut left, mut right) = pair(|hub| {
        hub.put(&["phase"], "primary");
    });
    let mine = left.put(&["phase"], "secondary");
    let theirs = right.put(&["phase"], "post-16");
    left.take(&[theirs]);
    right.take(&[mine]);
    assert_eq!(left.document.digest(), right.document.digest());
    let versions = left.document.view().versions(&["phase"]);
    assert_eq!(versions.len(), 2);
    let contested = left.document.view().contested();
    assert_eq!(contested.into_iter().collect::<Vec<_>>(), [["phase"]]);
    for version in &versions {
        assert_eq!(version.before, ["primary".into()]);
        let by = if version.value == "secondary".into() {
            &left
        } else {
            &right
        };
        assert_eq!(version.author.hub, by.author.hub);
        assert_eq!(
            version.author.time_ms,
            if by.author.hub == left.author.hub {
                2_000
            } else {
                1_000
            }
        );
    }
    let chosen = right.put(&["phase"], "post-16");
    left.take(&[chosen]);
    assert_eq!(left.document.view().versions(&["phase"]).len(), 1);
}

#[test]
fn two_who_write_into_one_sentence_are_both_told_until_one_has_seen_it() {
    let (mut left, mut right) = pair(|hub| {
        hub.text(
            &["body"],
            "We plan together. Teachers meet in May. The end.",
        );
    });
    let one = left.text(
        &["body"],
        "We plan together. Teachers meet in early May. The end.",
    );
    let two = right.text(
        &["body"],
        "We plan together. All teachers meet in May. The end.",
    );
    left.take(&[two]);
    right.take(&[one]);
    let overlaps = left.document.view().overlaps(&["body"]);
    assert_eq!(overlaps, right.document.view().overlaps(&["body"]));
    assert_eq!(overlaps.len(), 1);
    assert!(overlaps[0].sentence.contains("early May"));
    assert_eq!(overlaps[0].authors.len(), 2);
    let wordings = overlaps[0].wordings.iter().map(|wording| {
        assert_eq!(wording.before, "Teachers meet in May.");
        (wording.author.hub, wording.sentence.as_str())
    });
    let mut wordings = wordings.collect::<Vec<_>>();
    wordings.sort_unstable();
    let expected = [
        (left.author.hub, "Teachers meet in early May."),
        (right.author.hub, "All teachers meet in May."),
    ];
    assert_eq!(wordings, expected);
    // Saying that it is well ends it; so does writing there after having seen both.
    let mut settled = left.clone();
    settled.edit(|edit| edit.mark_overlaps_seen(&["body"]));
    assert!(settled.document.view().overlaps(&["body"]).is_empty());
    let text = left.document.view().get(&["body"]);
    let text = text
        .as_ref()
        .and_then(Value::as_str)
        .expect("a text")
        .replace("early May", "June");
    left.text(&["body"], &text.replace("in ", "in mid "));
    assert!(left.document.view().overlaps(&["body"]).is_empty());
}

#[test]
fn two_who_only_take_words_out_of_one_sentence_are_told_too() {
    let (mut left, mut right) = pair(|hub| {
        hub.text(&["body"], "One. We really always meet in May. Three. Four.");
    });
    let one = left.text(&["body"], "One. We always meet in May. Three. Four.");
    let two = right.text(&["body"], "One. We really meet in May. Four.");
    left.take(&[two]);
    right.take(&[one]);
    let overlaps = left.document.view().overlaps(&["body"]);
    assert_eq!(overlaps, right.document.view().overlaps(&["body"]));
    assert_eq!(overlaps.len(), 1, "{overlaps:?}");
    assert_eq!(overlaps[0].sentence, "We meet in May.");
    let mut left_as = overlaps[0].wordings.iter();
    assert!(left_as.any(|wording| wording.sentence == "We always meet in May."));
    // Whoever has seen both and takes out more has seen to it.
    left.text(&["body"], "One. We meet. Four.");
    assert!(left.document.view().overlaps(&["body"]).is_empty());
    assert_eq!(left.document.view().children(&["body"]), [""; 0]);
    assert_eq!(left.document.view().history_of_field("body").len(), 4);
}

#[test]
fn one_who_takes_words_out_and_one_who_writes_in_the_same_sentence_are_told() {
    let (mut left, mut right) = pair(|hub| {
        hub.text(&["body"], "We always meet in May. Bring a pen.");
    });
    let one = left.text(&["body"], "We meet in May. Bring a pen.");
    let two = right.text(&["body"], "We always meet in early May. Bring a pen.");
    let other = right.text(&["body"], "We always meet in early May. Bring pens.");
    left.take(&[two, other]);
    right.take(&[one]);
    let overlaps = right.document.view().overlaps(&["body"]);
    assert_eq!(overlaps.len(), 1, "{overlaps:?}");
    assert_eq!(overlaps[0].authors.len(), 2);
}

#[test]
fn edits_of_different_sentences_merge_without_a_word() {
    let (mut left, mut right) = pair(|hub| {
        hub.text(&["body"], "One fish. Two fish.");
    });
    let one = left.text(&["body"], "One red fish. Two fish.");
    let two = right.text(&["body"], "One fish. Two blue fish.");
    left.take(&[two]);
    right.take(&[one]);
    let merged = Some(Value::Text("One red fish. Two blue fish.".to_owned()));
    assert_eq!(left.document.view().get(&["body"]), merged);
    assert!(left.document.view().overlaps(&["body"]).is_empty());
}

#[test]
fn counts_add_up() {
    let (mut left, mut right) = pair(|hub| {
        hub.edit(|edit| edit.increment(&["uses"], 1));
    });
    let one = left.edit(|edit| edit.increment(&["uses"], 2));
    let two = right.edit(|edit| edit.increment(&["uses"], 3));
    left.take(&[two]);
    right.take(&[one]);
    assert_eq!(left.document.view().get(&["uses"]), Some(Value::Count(6)));
    assert_eq!(right.document.view().get(&["uses"]), Some(Value::Count(6)));
}

#[test]
fn items_keep_an_order_that_all_agree_on() {
    let (mut left, mut right) = pair(|hub| {
        hub.edit(|edit| {
            edit.place_item(&["list"], "b", None)?;
            edit.place_item(&["list"], "d", Some("b"))
        });
    });
    let one = left.edit(|edit| edit.place_item(&["list"], "c", Some("b")));
    let two = right.edit(|edit| {
        edit.place_item(&["list"], "e", Some("b"))?;
        edit.place_item(&["list"], "d", None)
    });
    left.take(&[two]);
    right.take(&[one]);
    let items = left.document.view().items(&["list"]);
    assert_eq!(items, right.document.view().items(&["list"]));
    assert_eq!(
        (items[0].as_str(), items[1].as_str(), items.len()),
        ("d", "b", 4)
    );
}

#[test]
fn an_item_changed_while_it_was_removed_is_kept() {
    let (mut left, mut right) = pair(|hub| {
        hub.edit(|edit| {
            edit.place_item(&["list"], "a", None)?;
            edit.place_item(&["list"], "b", Some("a"))
        });
    });
    let one = left.edit(|edit| {
        edit.remove_item(&["list"], "a")?;
        edit.remove_item(&["list"], "b")
    });
    let two = right.edit(|edit| {
        edit.keep_item(&["list"], "a")?;
        edit.put(&["list", "a", "date"], &"2026-12-01".into())
    });
    left.take(&[two]);
    right.take(&[one]);
    assert_eq!(left.document.view().items(&["list"]), ["a"]);
    assert_eq!(right.document.view().items(&["list"]), ["a"]);
}

#[test]
fn history_tells_each_step_with_its_author() {
    let (mut left, mut right) = pair(|hub| {
        hub.edit(|edit| {
            edit.put(&["title"], &"a".into())?;
            edit.update_text(&["body"], "One.")
        });
    });
    let start = left.document.heads();
    let two = right.text(&["body"], "One. Two.");
    left.take(&[two]);
    left.put(&["title"], "b");
    left.edit(|edit| edit.clear(&["title"]));
    let view = left.document.view();
    let titles = view
        .history(&["title"])
        .into_iter()
        .map(|step| step.value)
        .collect::<Vec<_>>();
    assert_eq!(titles, [Some("a".into()), Some("b".into()), None]);
    let body = view.history_of_field("body");
    assert_eq!(body[1].value, Some(Value::Text("One. Two.".to_owned())));
    assert_eq!(body[1].author.hub, right.author.hub);
    let since = view
        .since(&start)
        .into_iter()
        .map(|step| step.path)
        .collect::<Vec<_>>();
    assert_eq!(since, [["body"], ["title"], ["title"]]);
    let then = left.document.view_at(&start).expect("its own heads");
    assert_eq!(then.get(&["title"]), Some("a".into()));
    assert_eq!(then.get(&["body"]), Some(Value::Text("One.".to_owned())));
    assert_eq!(then.fields(), ["body", "title"]);
}

#[test]
fn a_document_can_be_read_as_it_was_on_any_date() {
    let (mut left, mut right) = pair(|hub| {
        hub.put(&["title"], "a"); // at 1,000
        hub.put(&["title"], "b"); // at 2,000
    });
    let other = right.put(&["phase"], "primary"); // at 1,000, though it follows what came at 2,000
    left.take(&[other]);
    left.put(&["title"], "c"); // at 3,000
    let title = |time_ms| {
        let then = left.document.heads_on(time_ms);
        let view = left.document.view_at(&then).expect("its own heads");
        (view.get(&["title"]), view.get(&["phase"]))
    };
    assert_eq!(title(999), (None, None));
    assert_eq!(title(1_500), (Some("a".into()), None));
    assert_eq!(title(2_000), (Some("b".into()), Some("primary".into())));
    assert_eq!(left.document.heads_on(u64::MAX), left.document.heads());
    let earlier = left.document.heads_on(1_500);
    assert!(left.document.saw(&left.document.heads(), &earlier));
    assert!(!left.document.saw(&earlier, &left.document.heads()));
    assert!(left.document.saw(&earlier, &Heads::default()));
}

#[test]
fn the_author_of_an_item_stays_who_put_it_there() {
    let (mut left, mut right) = pair(|hub| {
        hub.edit(|edit| {
            edit.place_item(&["posts"], "p", None)?;
            edit.update_text(&["posts", "p", "text"], "Mine.")
        });
    });
    let author = |hub: &Hub| {
        let author = hub.document.view().item_author(&["posts"], "p");
        author.map(|author| author.hub)
    };
    assert_eq!(author(&left), Some(left.author.hub));
    let forged = right.edit(|edit| {
        edit.keep_item(&["posts"], "p")?;
        edit.update_text(&["posts", "p", "text"], "Mine, and yours.")
    });
    left.take(&[forged]);
    assert_eq!(author(&left), Some(left.author.hub));
    assert_eq!(left.document.view().item_writers(&["posts"], "p").len(), 2);
    let text = left.document.view().text_authors(&["posts", "p", "text"]);
    assert_eq!(text.len(), 2);
    assert!(
        left.document
            .view()
            .item_author(&["posts"], "none")
            .is_none()
    );
}

#[test]
fn two_pages_of_one_node_that_change_one_sentence_are_told_as_two_hubs_are() {
    let mut hub = Hub::new(3);
    hub.text(&["body"], "We plan together. Teachers meet in May.");
    let page = hub.document.heads();
    let write = |hub: &mut Hub, text: &str| {
        let edited = hub.edit_at(Some(&page), |edit| edit.update_text(&["body"], text));
        edited.expect("a lane");
    };
    write(&mut hub, "We plan together. Teachers meet in June.");
    write(&mut hub, "We all plan together. Teachers meet in May.");
    assert!(hub.document.view().overlaps(&["body"]).is_empty());
    write(&mut hub, "We plan together. Teachers meet in early May.");
    let overlaps = hub.document.view().overlaps(&["body"]);
    assert_eq!(overlaps.len(), 1, "{overlaps:?}");
    let wordings = overlaps[0].wordings.iter();
    let wordings = wordings.map(|wording| wording.sentence.as_str());
    assert_eq!(
        wordings.collect::<Vec<_>>(),
        ["Teachers meet in June.", "Teachers meet in early May."]
    );
    // One page after the other is none.
    hub.edit(|edit| edit.mark_overlaps_seen(&["body"]));
    for text in ["Teachers meet in July.", "Teachers meet in late July."] {
        hub.text(&["body"], text);
    }
    assert!(hub.document.view().overlaps(&["body"]).is_empty());
}
