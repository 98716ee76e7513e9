//! Every node comes to the same feeds, whatever forks, cuts and orders of arrival there were.

mod holder;
mod model;

use node_feed::{Admission, Height, RefusalReason};
use proptest::prelude::*;
use proptest::sample::Index;

use holder::Holder;
use model::Model;

/// A writer's entries, grown at random: each stretch goes on from any entry before it.
fn models() -> impl Strategy<Value = Model> {
    prop::collection::vec((any::<Index>(), 1..4usize), 1..9).prop_map(|stretches| {
        let mut model = Model::new();
        for (parent, length) in stretches {
            // One place more than there are entries: before number 0.
            let parent = parent.index(model.heights().len() + 1);
            let parent = model.heights().get(parent).copied();
            model.grow(parent, length);
        }
        model
    })
}

/// What one node receives, and when it hears of the cuts.
#[derive(Debug, Clone)]
struct Story {
    deliveries: Vec<Index>,
    hears_at: Index,
}

fn stories() -> impl Strategy<Value = Vec<Story>> {
    let story = (prop::collection::vec(any::<Index>(), 0..30), any::<Index>());
    let story = story.prop_map(|(deliveries, hears_at)| Story {
        deliveries,
        hears_at,
    });
    prop::collection::vec(story, 3)
}

fn tell(model: &Model, admission: &Admission, story: &Story) -> Holder {
    let runs = model.runs();
    let mut holder = Holder::new(Admission::All);
    let hears_at = story.hears_at.index(story.deliveries.len() + 1);
    for (count, delivery) in story.deliveries.iter().enumerate() {
        if count == hears_at {
            holder.hear(admission.clone());
        }
        // What it refuses or lacks something for comes again below.
        let _ = holder.take(&runs[delivery.index(runs.len())]);
    }
    holder.hear(admission.clone());
    // Until nothing is new, others say again what they hold, beginning anywhere.
    let first = story.hears_at.index(runs.len());
    loop {
        let (head, tail) = runs.split_at(first);
        let taken = tail
            .iter()
            .chain(head)
            .filter(|run| holder.take(run) == Ok(true));
        if taken.count() == 0 {
            return holder;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn all_nodes_hold_the_same_feeds_in_any_order(model in models(), stories in stories()) {
        for story in &stories {
            let holder = tell(&model, &Admission::All, story);
            prop_assert_eq!(holder.entries(), model.heights());
            prop_assert_eq!(holder.feeds(), &model.feeds(&model.heights()));
        }
    }

    #[test]
    fn all_nodes_stop_at_the_same_cuts_in_any_order(
        model in models(),
        cuts in prop::collection::vec(any::<Index>(), 0..4),
        stories in stories(),
    ) {
        let all = model.heights();
        let cuts = cuts.iter().map(|cut| all[cut.index(all.len())]).collect::<Vec<_>>();
        let counted = model.ancestors(&cuts);
        for story in &stories {
            let holder = tell(&model, &Admission::UpTo(cuts.clone()), story);
            prop_assert_eq!(holder.entries(), counted.clone());
            // As a node names them that joined later and saw no fork but those that count.
            prop_assert_eq!(holder.feeds(), &model.feeds(&counted));
        }
    }

    #[test]
    fn while_a_cut_is_not_held_what_is_below_it_waits_in_the_feed(model in models(), number in 0..12u64) {
        let cut = Height { number, hash: node_feed::Hash::from_bytes([0xee; 32]) };
        let mut holder = Holder::new(Admission::All);
        for run in model.runs() {
            let _ = holder.take(&run);
        }
        holder.hear(Admission::UpTo(vec![cut]));
        let mut below = model.heights();
        below.retain(|height| height.number < number);
        prop_assert_eq!(holder.entries(), below.clone());
        prop_assert_eq!(holder.feeds(), &model.feeds(&below));
    }
}

#[test]
fn what_is_held_below_a_cut_may_come_again() {
    let mut model = Model::new();
    let tip = model.grow(None, 5);
    let mut holder = Holder::new(Admission::UpTo(vec![tip]));
    let whole = model.run_to(tip);
    assert_eq!(holder.take(&whole), Ok(true));
    let third = whole
        .entries()
        .nth(2)
        .map(|(height, _)| height)
        .expect("entry 2");
    assert_eq!(holder.take(&model.run_to(third)), Ok(false));
    let over = model.grow(Some(tip), 1);
    assert_eq!(
        holder.take(&model.run_to(over).from(5).expect("entry 5")),
        Err(RefusalReason::Cut)
    );
}

#[test]
fn of_a_run_that_may_lead_on_to_a_later_cut_nothing_is_taken_off() {
    let mut model = Model::new();
    let trunk = model.grow(None, 2);
    let middle = model.grow(Some(trunk), 2);
    let end = model.grow(Some(middle), 2);
    let mut holder = Holder::new(Admission::UpTo(vec![trunk, end]));
    assert_eq!(holder.take(&model.run_to(middle)), Ok(true));
    assert_eq!(
        holder.heights().iter().next().map(|(_, height)| height),
        Some(middle)
    );
}

#[test]
fn a_feed_that_no_cut_names_counts_as_empty() {
    let mut model = Model::new();
    let tip = model.grow(None, 3);
    let mut holder = Holder::new(Admission::All);
    assert_eq!(holder.take(&model.run_to(tip)), Ok(true));
    holder.hear(Admission::UpTo(vec![]));
    assert!(holder.heights().is_empty());
    assert!(holder.feeds().is_empty());
    assert_eq!(holder.take(&model.run_to(tip)), Err(RefusalReason::Cut));
}

#[test]
fn two_opens_of_one_key_are_admitted_each_by_its_own_grant() {
    let mut model = Model::new();
    let one = model.grow(None, 4);
    let other = model.grow(None, 3);
    let mut holder = Holder::new(Admission::All);
    for tip in [one, other] {
        assert_eq!(holder.take(&model.run_to(tip)), Ok(true));
    }
    let first = model.run_to(other).hash_at(0).expect("number 0");
    let second = model
        .run_to(one)
        .entries()
        .nth(1)
        .map(|(height, _)| height)
        .expect("number 1");
    holder.hear_apart(first, Admission::All);
    holder.hear(Admission::UpTo(vec![second]));
    let counted = model.ancestors(&[second, other]);
    assert_eq!(holder.entries(), counted);
    assert_eq!(holder.feeds(), &model.feeds(&counted));
    // With one of them gone it is as if the key had opened one feed only.
    holder.hear(Admission::Never(RefusalReason::Grant));
    assert_eq!(holder.entries(), model.ancestors(&[other]));
    assert_eq!(holder.feeds(), &model.feeds(&model.ancestors(&[other])));
}
