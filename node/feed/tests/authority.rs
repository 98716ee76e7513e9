//! Who takes part and until where, as the authority log says it.

use bytes::Bytes;
use node_feed::{
    Access, Admission, Authority, AuthorityLog, AuthorityOpen, Cut, CutTarget, Entry, Fact,
    FeedCut, FeedName, GrantId, Hash, Height, HubId, Kind, LogEntry, LogFeed, NetworkId, NodeId,
    NodeOpen, Nonce, Opening, PayloadError, PublicKey, RefusalReason, Run, SecretKey, SpaceId,
    SpaceKind, Subject, Tag,
};

const HUB: HubId = HubId::from_bytes([1; 8]);
const OTHER: HubId = HubId::from_bytes([2; 8]);
const SPACE: SpaceId = SpaceId::from_bytes([3; 16]);
const OWN: SpaceId = SpaceId::from_bytes([4; 16]);
const NODE: NodeId = NodeId::from_bytes([5; 32]);
const WRITER: [u8; 32] = [6; 32];
const RANDOM: Nonce = Nonce([7; 16]);

fn root() -> SecretKey {
    SecretKey::from_seed(&[0xaa; 32])
}

fn network() -> NetworkId {
    root().public().network()
}

fn height(number: u64) -> Height {
    Height {
        number,
        hash: Hash::of(Tag::Entry, &[&number.to_le_bytes()]),
    }
}

/// The authority's state after these facts; each is hashed by its place.
fn state(facts: Vec<Fact>) -> Authority {
    let mut authority = Authority::new(network());
    for (at, fact) in (0..).zip(facts) {
        authority.take(height(at).hash, Some(fact));
    }
    authority
}

fn grant_at(at: u64) -> GrantId {
    GrantId::from_bytes(*height(at).hash.as_bytes())
}

fn hub(hub: HubId) -> Fact {
    Fact::Hub {
        hub,
        code: "code".to_owned(),
        name: "name".to_owned(),
    }
}

fn node(hub: HubId, node: NodeId) -> Fact {
    Fact::Node { hub, node }
}

fn space(space: SpaceId, kind: SpaceKind) -> Fact {
    Fact::Space {
        space,
        kind,
        title: "title".to_owned(),
    }
}

fn grant(hub: HubId, space: SpaceId, access: Access) -> Fact {
    Fact::Grant { space, hub, access }
}

fn cut(target: CutTarget, feeds: &[(SpaceId, u64)]) -> Fact {
    let feeds = feeds.iter().map(|(space, number)| FeedCut {
        space: *space,
        writer: WRITER,
        last: height(*number),
    });
    Fact::Cut(Cut {
        target,
        reason: String::new(),
        feeds: feeds.collect(),
    })
}

fn opening(grant: GrantId) -> Opening {
    Opening::Node {
        hub: HUB,
        node: NODE,
        grant,
    }
}

/// Hub and node admitted, with a grant to write (entry 4 of the log).
fn start() -> Vec<Fact> {
    vec![
        hub(HUB),
        hub(OTHER),
        node(HUB, NODE),
        space(SPACE, SpaceKind::Project),
        grant(HUB, SPACE, Access::Write),
    ]
}

fn admission(facts: Vec<Fact>, grant: GrantId) -> Admission {
    state(facts).admission(SPACE, &WRITER, &opening(grant))
}

fn up_to(number: u64) -> Admission {
    Admission::UpTo(vec![height(number)])
}

#[test]
fn a_grant_admits_its_own_hub_space_and_writing_alone() {
    let not_yet = Admission::NotYet(RefusalReason::GrantUnknown);
    let never = Admission::Never(RefusalReason::Grant);
    assert_eq!(admission(start(), grant_at(4)), Admission::All);
    assert_eq!(admission(start(), grant_at(3)), not_yet);
    let with = |fact| [start(), vec![fact]].concat();
    for other in [
        grant(OTHER, SPACE, Access::Write),
        grant(HUB, OWN, Access::Write),
        grant(HUB, SPACE, Access::Read),
    ] {
        assert_eq!(admission(with(other), grant_at(5)), never);
    }
    // A node that is not known yet may become known; one of another hub never was this hub's.
    let mut unknown = start();
    unknown[2] = hub(HUB);
    assert_eq!(admission(unknown.clone(), grant_at(4)), not_yet);
    unknown[2] = node(OTHER, NODE);
    assert_eq!(admission(unknown, grant_at(4)), never);
}

#[test]
fn a_cut_admits_up_to_its_place_for_ever_and_a_new_grant_starts_anew() {
    let mut facts = start();
    facts.push(cut(CutTarget::Grant(HUB, SPACE), &[(SPACE, 10)]));
    facts.push(grant(HUB, SPACE, Access::Write));
    // A later cut, of whatever kind, moves no earlier one.
    facts.push(cut(CutTarget::Hub(HUB), &[(SPACE, 20)]));
    assert_eq!(admission(facts[..6].to_vec(), grant_at(4)), up_to(10));
    assert_eq!(admission(facts[..7].to_vec(), grant_at(4)), up_to(10));
    assert_eq!(admission(facts[..7].to_vec(), grant_at(6)), Admission::All);
    assert_eq!(admission(facts.clone(), grant_at(4)), up_to(10));
    assert_eq!(admission(facts, grant_at(6)), up_to(20));
}

#[test]
fn a_feed_that_a_cut_does_not_list_counts_as_empty() {
    let mut facts = start();
    facts.push(cut(CutTarget::Grant(HUB, SPACE), &[(OWN, 10)]));
    assert_eq!(admission(facts, grant_at(4)), Admission::UpTo(vec![]));
}

#[test]
fn a_node_that_was_cut_stays_out_under_any_grant_while_its_hub_goes_on() {
    let other = NodeId::from_bytes([8; 32]);
    let mut facts = start();
    facts.push(node(HUB, other));
    facts.push(cut(CutTarget::Node(NODE), &[(SPACE, 7)]));
    facts.push(node(HUB, NODE));
    facts.push(grant(HUB, SPACE, Access::Write));
    let authority = state(facts);
    let admit = |node, grant| {
        let opening = Opening::Node {
            hub: HUB,
            node,
            grant,
        };
        authority.admission(SPACE, &WRITER, &opening)
    };
    assert_eq!(admit(NODE, grant_at(4)), up_to(7));
    assert_eq!(admit(NODE, grant_at(8)), up_to(7));
    assert_eq!(admit(other, grant_at(4)), Admission::All);
    assert_eq!(
        (authority.hub_of(&NODE), authority.hub_of(&other)),
        (None, Some(HUB))
    );
    assert_eq!(authority.access(HUB, SPACE), Some(Access::Write));
}

#[test]
fn a_hub_that_was_cut_keeps_its_own_records() {
    let mut facts = start();
    facts.push(space(OWN, SpaceKind::Hub));
    facts.push(grant(HUB, OWN, Access::Write));
    facts.push(cut(CutTarget::Hub(HUB), &[(SPACE, 7)]));
    let own = |facts: &[Fact]| state(facts.to_vec()).admission(OWN, &WRITER, &opening(grant_at(6)));
    assert_eq!(own(&facts), Admission::All);
    assert_eq!(state(facts.clone()).access(HUB, OWN), Some(Access::Write));
    assert_eq!(admission(facts.clone(), grant_at(4)), up_to(7));
    // Nobody but the hub knows where its own feeds end: a cut of its node that names none of them
    // leaves them.
    let mut of_node = facts.clone();
    of_node.push(cut(CutTarget::Node(NODE), &[(SPACE, 3)]));
    assert_eq!(own(&of_node), Admission::All);
    // With their ends named, the hub's other nodes take no more than that from a stolen one.
    facts.push(cut(CutTarget::Node(NODE), &[(OWN, 3)]));
    assert_eq!(own(&facts), up_to(3));
}

#[test]
fn nobody_is_given_a_hubs_own_space_or_takes_it_from_the_hub() {
    let own = || vec![space(OWN, SpaceKind::Hub), grant(HUB, OWN, Access::Write)];
    let of_other = |grant| {
        let opening = Opening::Node {
            hub: OTHER,
            node: NodeId::from_bytes([8; 32]),
            grant,
        };
        move |authority: &Authority| authority.admission(OWN, &WRITER, &opening)
    };
    let alone = |facts: Vec<Fact>| {
        let authority = state([start(), facts].concat());
        assert_eq!(authority.members(OWN), [HUB]);
        assert_eq!(authority.access(OTHER, OWN), None);
        assert_eq!(authority.write_grant(OTHER, OWN), None);
        let length = authority.length();
        assert_eq!(authority.shared_at(length, HUB, OTHER), []);
        authority
    };
    // Whoever writes the log gives somebody access, before or after having called it something else.
    let given = grant(OTHER, OWN, Access::Write);
    let authority = alone([own(), vec![given.clone()]].concat());
    let refused = Admission::Never(RefusalReason::Grant);
    assert_eq!(of_other(grant_at(7))(&authority), refused);
    let other_kind = space(OWN, SpaceKind::Project);
    alone([own(), vec![other_kind.clone(), given.clone()]].concat());
    // Or takes the hub's own away, by itself or with all else.
    let taken = [
        cut(CutTarget::Grant(HUB, OWN), &[]),
        cut(CutTarget::Hub(HUB), &[]),
    ];
    let authority = alone([&own()[..], &taken].concat());
    assert_eq!(
        authority.admission(OWN, &WRITER, &opening(grant_at(6))),
        Admission::All
    );
    // What others were given before is no hub's own, whatever it is called later.
    for first in [vec![given.clone()], vec![other_kind, given]] {
        let authority = state([start(), first, own()].concat());
        let kind = authority.spaces().get(&OWN).map(|record| record.kind);
        assert_ne!(kind, Some(SpaceKind::Hub));
    }
}

#[test]
fn access_can_be_asked_for_at_any_earlier_length() {
    let mut facts = start();
    facts.push(grant(OTHER, SPACE, Access::Read));
    facts.push(cut(CutTarget::Hub(HUB), &[]));
    let authority = state(facts);
    let access = |length| authority.access_at(length, HUB, SPACE);
    assert_eq!(
        [4, 5, 6, 7].map(access),
        [None, Some(Access::Write), Some(Access::Write), None]
    );
    assert_eq!(authority.shared_at(5, HUB, OTHER), []);
    assert_eq!(authority.shared_at(6, HUB, OTHER), [SPACE]);
    assert_eq!(authority.shared_at(7, HUB, OTHER), []);
    assert_eq!(authority.members(SPACE), [OTHER]);
    assert_eq!(authority.write_grant(OTHER, SPACE), None);
}

#[test]
fn an_open_proves_its_node_for_one_feed_alone() {
    let identity = SecretKey::from_seed(&[9; 32]);
    let writer = SecretKey::from_seed(&[10; 32]).public();
    let who = (HUB, grant_at(4));
    let open = NodeOpen::sign(network(), SPACE, &writer, &identity, who, vec![], RANDOM);
    let payload = open.encode().expect("no earlier feeds");
    let verify = |payload: &[u8], network, space, writer: &PublicKey| {
        Opening::verify(payload, network, space, writer)
    };
    let node = identity.public().node();
    let grant = grant_at(4);
    let proven = Ok(Opening::Node {
        hub: HUB,
        node,
        grant,
    });
    assert_eq!(verify(&payload, network(), SPACE, &writer), proven);
    let elsewhere = NetworkId::from_bytes([11; 16]);
    assert!(verify(&payload, elsewhere, SPACE, &writer).is_err());
    assert!(verify(&payload, network(), OWN, &writer).is_err());
    assert!(verify(&payload, network(), SPACE, &identity.public()).is_err());
    let log = SpaceId::authority(network());
    assert_eq!(
        verify(&payload, network(), log, &writer),
        Err(PayloadError::Elsewhere)
    );
    let mut altered = payload.to_vec();
    altered[17] ^= 1;
    assert!(verify(&altered, network(), SPACE, &writer).is_err());
}

#[test]
fn a_term_is_opened_by_the_network_s_root_key_alone() {
    let writer = SecretKey::from_seed(&[10; 32]).public();
    let log = SpaceId::authority(network());
    let open = AuthorityOpen::sign(&root(), &writer, 1, None, RANDOM).encode();
    assert!(Opening::verify(&open, network(), log, &writer).is_ok());
    let elsewhere = Opening::verify(&open, network(), SPACE, &writer);
    assert_eq!(elsewhere, Err(PayloadError::Elsewhere));
    let impostor = SecretKey::from_seed(&[0xbb; 32]);
    let open = AuthorityOpen::sign(&impostor, &writer, 1, None, RANDOM).encode();
    let error = Opening::verify(&open, network(), log, &writer);
    assert_eq!(error, Err(PayloadError::Elsewhere));
}

/// One term as a node holds it: an open, then a hub for each name.
fn term(seed: u8, term: u64, continues: Option<(FeedName, Height)>, names: &[&str]) -> LogFeed {
    let key = SecretKey::from_seed(&[seed; 32]);
    let open = AuthorityOpen::sign(&root(), &key.public(), term, continues, RANDOM).encode();
    let entry = |kind, payload: Bytes| Entry {
        time_ms: 0,
        kind,
        subject: Subject::NONE,
        payload,
    };
    let facts = names.iter().map(|name| {
        let id = HubId::from_bytes(*name.as_bytes().first_chunk().expect("eight letters"));
        entry(Kind::GRANT, hub(id).encode(RANDOM))
    });
    let entries = [entry(Kind::OPEN, open)].into_iter().chain(facts).collect();
    let space = SpaceId::authority(network());
    let run = Run::sign(network(), space, &key, None, entries).expect("a few entries");
    let entries = run.entries().map(|(height, entry)| LogEntry {
        height,
        kind: entry.kind,
        payload: entry.payload.bytes().expect("just signed").clone(),
    });
    LogFeed {
        writer: *key.public().as_bytes(),
        opening: Opening::Authority { term, continues },
        entries: entries.collect(),
        forked: false,
    }
}

fn end(feed: &LogFeed, number: usize) -> Option<(FeedName, Height)> {
    Some((
        FeedName::from_bytes(feed.writer),
        feed.entries[number].height,
    ))
}

/// The same log told in every order comes to the same; which hubs count, and whether it froze.
fn fold(feeds: &[LogFeed]) -> (Vec<String>, bool) {
    let tell = |feeds: &[LogFeed]| AuthorityLog::new(network(), feeds.to_vec()).fold();
    let told = tell(feeds);
    let mut turned = feeds.to_vec();
    for _ in 0..feeds.len() {
        turned.rotate_left(1);
        assert_eq!(tell(&turned), told);
    }
    turned.reverse();
    assert_eq!(tell(&turned), told);
    let hubs = told.hubs().keys();
    let names = hubs.map(|hub| String::from_utf8_lossy(hub.as_bytes()).into_owned());
    (names.collect(), told.is_frozen())
}

fn hubs(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_higher_term_ends_the_older_log_where_it_continues_from() {
    let first = term(20, 1, None, &["hub-0001", "hub-0002", "hub-0003"]);
    let second = term(21, 2, end(&first, 2), &["hub-0004"]);
    let third = term(22, 3, end(&second, 0), &["hub-0005"]);
    assert_eq!(
        fold(std::slice::from_ref(&first)),
        (hubs(&["hub-0001", "hub-0002", "hub-0003"]), false)
    );
    let two = [first.clone(), second.clone()];
    assert_eq!(
        fold(&two),
        (hubs(&["hub-0001", "hub-0002", "hub-0004"]), false)
    );
    let three = [first.clone(), second.clone(), third.clone()];
    assert_eq!(
        fold(&three),
        (hubs(&["hub-0001", "hub-0002", "hub-0005"]), false)
    );
    let log = AuthorityLog::new(network(), three.to_vec());
    assert_eq!(log.current(), Some((third.writer, 3)));
    assert_eq!(log.tip(), Some((third.writer, third.entries[1].height)));
    assert_eq!(log.fold().length(), 3 + 1 + 2);
    // What a stolen key of an ended term signs does not count, nor does a term nobody goes on from.
    let authority = log.fold();
    let space = SpaceId::authority(network());
    let admit = |feed: &LogFeed| authority.admission(space, &feed.writer, &feed.opening);
    assert_eq!(
        admit(&first),
        Admission::UpTo(vec![first.entries[2].height])
    );
    assert_eq!(
        admit(&second),
        Admission::UpTo(vec![second.entries[0].height])
    );
    assert_eq!(admit(&third), Admission::All);
    assert_eq!(
        admit(&term(23, 2, end(&first, 3), &[])),
        Admission::UpTo(vec![])
    );
    assert_eq!(admit(&term(24, 4, end(&third, 1), &[])), Admission::All);
    assert_eq!(
        authority.cuts_of(space, &first.writer),
        [first.entries[2].height]
    );
}

#[test]
fn until_a_terms_past_is_held_the_older_log_counts_up_to_where_it_was_ended() {
    let first = term(20, 1, None, &["hub-0001", "hub-0002", "hub-0003"]);
    let second = term(21, 2, end(&first, 2), &["hub-0004"]);
    let mut short = first.clone();
    short.entries.truncate(2);
    assert_eq!(fold(&[short, second.clone()]), (hubs(&["hub-0001"]), false));
    assert_eq!(fold(&[second]), (hubs(&[]), false));
    // The entry it was ended at is of another branch: what is below may be common.
    let other = term(
        21,
        2,
        Some((FeedName::from_bytes(first.writer), height(2))),
        &["hub-0004"],
    );
    assert_eq!(fold(&[first, other]), (hubs(&["hub-0001"]), false));
}

#[test]
fn a_forked_term_freezes_at_the_common_prefix_until_a_higher_term_goes_on_from_either_branch() {
    let one = term(20, 1, None, &["hub-0001", "hub-0002", "hub-0003"]);
    let other = term(20, 1, None, &["hub-0001", "hub-0004"]);
    let mut trunk = one.clone();
    trunk.entries.truncate(2);
    trunk.forked = true;
    let frozen = (hubs(&["hub-0001"]), true);
    assert_eq!(fold(&[trunk.clone()]), frozen);
    assert_eq!(fold(&[one.clone(), other.clone()]), frozen);
    assert_eq!(
        AuthorityLog::new(network(), vec![trunk.clone()]).current(),
        None
    );
    let higher = term(21, 2, end(&one, 3), &["hub-0005"]);
    let settled = hubs(&["hub-0001", "hub-0002", "hub-0003", "hub-0005"]);
    assert_eq!(
        fold(&[one.clone(), other.clone(), higher.clone()]),
        (settled, false)
    );
    let log = AuthorityLog::new(network(), vec![one, other, higher]);
    assert_eq!(log.terms().max(), Some(2));
}

#[test]
fn a_term_that_forked_at_its_open_freezes_the_log_at_what_it_continues_from() {
    let first = term(20, 1, None, &["hub-0001", "hub-0002"]);
    let mut second = term(21, 2, end(&first, 1), &[]);
    second.entries.clear();
    second.forked = true;
    assert_eq!(fold(&[first, second]), (hubs(&["hub-0001"]), true));
}

#[test]
fn two_keys_for_one_term_freeze_the_log_at_what_both_continue_from() {
    let first = term(20, 1, None, &["hub-0001", "hub-0002"]);
    let one = term(21, 2, end(&first, 2), &["hub-0003"]);
    let other = term(22, 2, end(&first, 1), &["hub-0004"]);
    let contested = [first.clone(), one.clone(), other.clone()];
    assert_eq!(fold(&contested), (hubs(&["hub-0001"]), true));
    let authority = AuthorityLog::new(network(), contested.to_vec()).fold();
    let space = SpaceId::authority(network());
    let admit = |feed: &LogFeed| authority.admission(space, &feed.writer, &feed.opening);
    // Both are carried, so that everyone sees it, with all that either of them continues from.
    assert_eq!(
        [admit(&one), admit(&other)],
        [Admission::All, Admission::All]
    );
    let Admission::UpTo(ends) = admit(&first) else {
        panic!("an ended term counts up to where it was ended");
    };
    assert!(ends.contains(&first.entries[1].height) && ends.contains(&first.entries[2].height));
    // A higher term settles it.
    let third = term(23, 3, end(&other, 1), &["hub-0005"]);
    let settled = hubs(&["hub-0001", "hub-0004", "hub-0005"]);
    assert_eq!(fold(&[first, one, other, third]), (settled, false));
}

#[test]
fn facts_of_newer_versions_are_counted_and_have_no_effect() {
    let mut feed = term(20, 1, None, &["hub-0001", "hub-0002"]);
    feed.entries[1].payload = Fact::Unknown(99).encode(RANDOM);
    feed.entries[2].kind = Kind(200);
    let authority = AuthorityLog::new(network(), vec![feed]).fold();
    assert_eq!((authority.length(), authority.hubs().len()), (3, 0));
}

#[test]
fn a_take_over_goes_on_from_the_longest_branch_that_is_held() {
    let longest = |feeds: &[LogFeed]| AuthorityLog::new(network(), feeds.to_vec()).longest();
    assert_eq!(longest(&[]), None);
    let first = term(20, 1, None, &["hub-0001", "hub-0002"]);
    let tip = |feed: &LogFeed| {
        let last = feed.entries.last().expect("a term has an open");
        Some((feed.writer, last.height))
    };
    assert_eq!(longest(std::slice::from_ref(&first)), tip(&first));

    // Two keys for the first term have nothing in common: one began from nothing by mistake.
    let early = term(21, 1, None, &[]);
    let contested = [first.clone(), early.clone()];
    assert_eq!(fold(&contested), (hubs(&[]), true));
    assert_eq!(longest(&contested), tip(&first));
    assert_eq!(longest(&[early.clone(), first.clone()]), tip(&first));
    let second = term(22, 2, end(&first, 2), &["hub-0003"]);
    let settled = hubs(&["hub-0001", "hub-0002", "hub-0003"]);
    assert_eq!(fold(&[first.clone(), early, second]), (settled, false));

    // A key in two places: the trunk alone is shorter than either branch.
    let longer = term(20, 1, None, &["hub-0001", "hub-0004", "hub-0005"]);
    let mut trunk = first.clone();
    trunk.entries.truncate(2);
    trunk.forked = true;
    let forked = [trunk, first.clone(), longer.clone()];
    assert_eq!(longest(&forked), tip(&longer));
    // A term whose past is not held has no line.
    let later = term(22, 2, end(&first, 2), &["hub-0003"]);
    assert_eq!(longest(std::slice::from_ref(&later)), None);
}
