//! Who may use a node's pages: links, passwords, second factors, sessions, roles.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use node::Node;
use node::accounts::{
    AccountError, AccountId, Accounts, By, Chosen, GivenRole, Needs, RefusedSignIn, Session,
    Standing, TryingOut,
};
use node::records::RecordsError;
use node::restore::Restore;
use totp_rs::{Builder, Secret};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PASSWORD: &str = "four blue kettles sing";
/// 27 November 2026 at noon.
const NOON: u64 = 1_795_780_800_000;
const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A node with its folder, which nobody has set up.
fn node() -> (tempfile::TempDir, Node) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let node = Node::create(&folder.path().join("node")).expect("a new node");
    (folder, node)
}

fn chosen(name: &str, email: &str) -> Chosen {
    Chosen {
        name: name.to_owned(),
        email: email.to_owned(),
        password: PASSWORD.to_owned().into(),
    }
}

fn role(name: &str, from: &str, until: Option<&str>) -> GivenRole {
    GivenRole {
        role: name.to_owned(),
        holder: String::new(),
        from: from.to_owned(),
        until: until.map(str::to_owned),
    }
}

/// The code of an app at a moment.
fn code(secret: &str, ms: u64) -> String {
    let secret = Secret::try_from_base32(secret.replace(' ', "")).expect("a secret");
    let app = Builder::new().with_secret(secret).build().expect("an app");
    app.generate(ms / 1_000).to_string()
}

/// Signs in and sets a second factor up, and gives the token and the secret.
fn whole(accounts: &Accounts, email: &str, ms: u64) -> (String, String) {
    let begun = accounts
        .sign_in(email, PASSWORD, HERE, ms)
        .expect("the password is right");
    assert_eq!(begun.needs, Needs::SetUpSecondFactor);
    let session = session(accounts, &begun.token, ms);
    let made = accounts.begin_second_factor(&session).expect("a secret");
    let accounts = accounts.at(ms);
    let done = accounts
        .confirm_second_factor(&session, &code(&made.secret, ms))
        .expect("the first code is right");
    (done.token.to_string(), made.secret.to_string())
}

fn session(accounts: &Accounts, token: &str, ms: u64) -> Session {
    let session = accounts.session(token, ms).expect("the store answers");
    session.expect("the session goes on")
}

fn has_ended(accounts: &Accounts, token: &str, ms: u64) -> bool {
    let session = accounts.session(token, ms).expect("the store answers");
    session.is_none()
}

/// A node whose hub lead has set up her account at noon: her token and secret.
fn led(node: &Node) -> (String, String) {
    let accounts = node.accounts().at(NOON);
    let link = accounts.first_link().expect("nobody has set the node up");
    accounts
        .set_up(&link.token, &chosen("Ama Lead", "ama@hub.example"))
        .expect("the link works");
    whole(&node.accounts(), "ama@hub.example", NOON)
}

/// Somebody whom the hub lead invited, and who has set up the account.
fn invited(node: &Node, lead: &Session, email: &str, roles: &[GivenRole]) -> AccountId {
    let accounts = node.accounts().at(NOON);
    let link = accounts
        .invite(By::Session(lead), "Ben Helper", email, roles)
        .expect("the hub lead invites");
    accounts
        .set_up(&link.token, &chosen("", ""))
        .expect("the link works")
}

#[test]
fn the_first_link_makes_a_hub_lead_once_and_within_a_day() {
    let (_folder, node) = node();
    let accounts = node.accounts();
    assert!(accounts.is_empty().expect("an answer"));

    let first = accounts.at(NOON).first_link().expect("a link");
    let second = accounts.at(NOON).first_link().expect("another link");
    let choice = chosen("Ama Lead", "Ama@Hub.example");
    let use_it = |token: &str, ms: u64| accounts.at(ms).set_up(token, &choice);
    assert!(
        matches!(use_it(&first.token, NOON), Err(AccountError::Link)),
        "replaced"
    );
    let late = use_it(&second.token, NOON + DAY);
    assert!(matches!(late, Err(AccountError::Link)), "expired");

    let id = use_it(&second.token, NOON + DAY - 1).expect("it works");
    assert!(
        matches!(use_it(&second.token, NOON), Err(AccountError::Link)),
        "used"
    );
    let account = accounts.find(id).expect("the account");
    assert_eq!(account.roles, [role("hub lead", "2026-11-27", None)]);
    assert_eq!(account.email, "ama@hub.example");
    assert!(!accounts.is_empty().expect("an answer"));
    assert!(matches!(accounts.first_link(), Err(AccountError::NotFirst)));
}

#[test]
fn an_invitation_works_once_and_for_three_days() {
    let (_folder, node) = node();
    let (token, _) = led(&node);
    let accounts = node.accounts().at(NOON);
    let lead = session(&accounts, &token, NOON);
    let roles = [role("administrator", "", Some("2027-08-31"))];
    let invite = |email: &str| accounts.invite(By::Session(&lead), "Ben", email, &roles);
    let link = invite("ben@hub.example").expect("an invitation");
    let again = invite(" BEN@hub.example ");
    assert!(
        matches!(again, Err(AccountError::Refused(_))),
        "one account an address"
    );

    let at = |ms: u64| node.accounts().at(ms);
    let shown = at(NOON).link(&link.token).expect("the link works");
    assert_eq!(
        (shown.name.as_str(), shown.email.as_str()),
        ("Ben", "ben@hub.example")
    );
    let late = at(NOON + 3 * DAY).link(&link.token);
    assert!(matches!(late, Err(AccountError::Link)));
    let weak = Chosen {
        password: "ben@hub.example".to_owned().into(),
        ..Chosen::default()
    };
    let refused = at(NOON).set_up(&link.token, &weak);
    assert!(matches!(refused, Err(AccountError::Password(_))));
    // What is chosen is not what the invitation said, which counts.
    let id = at(NOON)
        .set_up(&link.token, &chosen("Eve", "eve@evil.example"))
        .expect("after a weak password it still works");
    let account = accounts.find(id).expect("the account");
    assert_eq!(
        (account.name.as_str(), account.email.as_str()),
        ("Ben", "ben@hub.example")
    );
    assert_eq!(
        account.roles,
        [role("administrator", "2026-11-27", Some("2027-08-31"))]
    );
    assert!(at(NOON).link(&link.token).is_err());
}

#[test]
fn an_account_without_a_second_factor_can_set_one_up_and_do_nothing_else() {
    let (_folder, node) = node();
    let accounts = node.accounts().at(NOON);
    let link = accounts.first_link().expect("a link");
    let choice = chosen("Ama Lead", "ama@hub.example");
    accounts.set_up(&link.token, &choice).expect("it works");
    let begun = accounts
        .sign_in("ama@hub.example", PASSWORD, HERE, NOON)
        .expect("the password is right");
    let half = session(&accounts, &begun.token, NOON);
    assert_eq!((half.needs, &half.role), (Needs::SetUpSecondFactor, &None));

    let first = AccountError::SecondFactorFirst.to_string();
    let refused = accounts.act_as(&half, 0).expect_err("not yet");
    assert_eq!(refused.to_string(), first);
    let refused = accounts.change_password(&half, PASSWORD, "another kettle harbour");
    assert_eq!(refused.expect_err("not yet").to_string(), first);
    let refused = accounts.invite(By::Session(&half), "Eve", "eve@hub.example", &[]);
    assert!(matches!(refused, Err(AccountError::MayNot(_))));
    assert!(matches!(node.desk_of(&half), Err(RecordsError::Role(_))));
    assert!(
        has_ended(&accounts, &begun.token, NOON + 20 * MINUTE),
        "it waits not for ever"
    );

    let made = accounts.begin_second_factor(&half).expect("a secret");
    let again = accounts.begin_second_factor(&half).expect("the page again");
    assert_eq!(
        made.secret, again.secret,
        "a page loaded again shows the same"
    );
    assert!(
        made.url
            .starts_with("otpauth://totp/Causeway:ama%40hub.example?"),
        "{}",
        *made.url
    );
    assert!(made.picture.starts_with("<svg") && !made.picture.contains("style"));
    let wrong = accounts.confirm_second_factor(&half, "000000");
    assert!(matches!(
        wrong,
        Err(AccountError::SignIn(RefusedSignIn::Code))
    ));
    let done = accounts
        .confirm_second_factor(&half, &code(&made.secret, NOON))
        .expect("the code is right");
    assert_eq!(done.recovery.len(), 8);
    assert!(
        has_ended(&accounts, &begun.token, NOON),
        "the token was changed"
    );
    let now = session(&accounts, &done.token, NOON);
    assert_eq!(now.role.as_ref().map(GivenRole::title), Some("Hub lead"));
    assert!(now.csrf_fits(&now.csrf) && !now.csrf_fits(&half.csrf) && !now.csrf_fits(""));
    node.desk_of(&now).expect("she has a desk");
}

#[test]
fn a_code_and_a_recovery_code_each_work_once() {
    let (_folder, node) = node();
    let (_, secret) = led(&node);
    let accounts = node.accounts();
    let begin = |ms: u64| {
        let begun = accounts
            .sign_in("ama@hub.example", PASSWORD, HERE, ms)
            .expect("the password is right");
        assert_eq!(begun.needs, Needs::SecondFactor);
        session(&accounts, &begun.token, ms)
    };
    let half = begin(NOON);
    let other = accounts.begin_second_factor(&half);
    assert!(
        matches!(other, Err(AccountError::Refused(_))),
        "a thief sets up no other"
    );
    // The code that set it up.
    let used = accounts
        .at(NOON)
        .confirm_second_factor(&half, &code(&secret, NOON));
    assert!(matches!(
        used,
        Err(AccountError::SignIn(RefusedSignIn::Code))
    ));

    let later = NOON + 2 * MINUTE;
    let now = accounts.at(later);
    let right = code(&secret, later);
    let half = begin(later);
    let spaced = format!("{} {}", &right[..3], &right[3..]);
    let done = now
        .confirm_second_factor(&half, &spaced)
        .expect("the code is right");
    assert!(done.recovery.is_empty());
    let whole = session(&accounts, &done.token, later);
    let half = begin(later);
    assert!(
        now.confirm_second_factor(&half, &right).is_err(),
        "the same code again"
    );

    let codes = now.new_recovery_codes(&whole, PASSWORD).expect("new codes");
    let recovery = codes[3].to_lowercase();
    let done = now
        .confirm_second_factor(&half, &recovery)
        .expect("a recovery code");
    assert_eq!(done.recovery_left, 7);
    let half = begin(later);
    assert!(
        now.confirm_second_factor(&half, &recovery).is_err(),
        "the same again"
    );
    let wrong = now.new_recovery_codes(&whole, "not her password");
    assert!(matches!(wrong, Err(AccountError::Password(_))));
}

#[test]
fn lockout_grows_is_the_same_for_unknown_addresses_and_survives_a_restart() {
    let (folder, node) = node();
    led(&node);
    let refusals = |node: &Node, email: &str, from: u64, count: usize| {
        let accounts = node.accounts();
        let tries = (0..count).map(|_| match accounts.sign_in(email, "wrong", HERE, from) {
            Err(AccountError::SignIn(refused)) => refused,
            other => panic!("{other:?}"),
        });
        tries.collect::<Vec<_>>()
    };
    let known = refusals(&node, "ama@hub.example", NOON, 6);
    let unknown = refusals(&node, "nobody@hub.example", NOON, 6);
    assert_eq!(known, unknown);
    assert_eq!(known[..5], [RefusedSignIn::Wrong; 5]);
    assert_eq!(known[5], RefusedSignIn::Wait(1_000));
    assert!(
        known[5].to_string().contains("Wait 1 second"),
        "{}",
        known[5]
    );

    let listed = node.accounts().at(NOON).find_by_email("ama@hub.example");
    let standing = listed.expect("the account").standing;
    assert_eq!(standing, Standing::LockedUntil(NOON + SECOND));
    drop(node);
    let node = Node::open(&folder.path().join("node")).expect("the node opens again");
    for email in ["ama@hub.example", "nobody@hub.example"] {
        assert_eq!(
            refusals(&node, email, NOON, 1),
            [RefusedSignIn::Wait(1_000)]
        );
        let next = refusals(&node, email, NOON + SECOND, 2);
        assert_eq!(next, [RefusedSignIn::Wrong, RefusedSignIn::Wait(2_000)]);
    }
    let accounts = node.accounts();
    let right = accounts.sign_in("ama@hub.example", PASSWORD, HERE, NOON + 2 * SECOND);
    assert!(right.is_err(), "the right password waits too");
    accounts
        .sign_in("ama@hub.example", PASSWORD, HERE, NOON + 3 * SECOND)
        .expect("after the wait it is taken");
}

#[test]
fn wrong_codes_lock_like_wrong_passwords_and_a_right_password_does_not_forget_them() {
    let (_folder, node) = node();
    led(&node);
    let accounts = node.accounts().at(NOON);
    let mut codes = 0;
    let waits = loop {
        let begun = match accounts.sign_in("ama@hub.example", PASSWORD, HERE, NOON) {
            Ok(begun) => begun,
            Err(error) => break error,
        };
        let half = session(&accounts, &begun.token, NOON);
        match accounts.confirm_second_factor(&half, "123456") {
            Err(AccountError::SignIn(RefusedSignIn::Code)) => codes += 1,
            Err(error) => break error,
            Ok(_) => panic!("123456 is not her code"),
        }
        assert!(codes < 10, "it goes on for ever");
    };
    assert!(
        matches!(waits, AccountError::SignIn(RefusedSignIn::Wait(_))),
        "{waits}"
    );
    assert!((4..=5).contains(&codes), "{codes}");
}

#[test]
fn very_many_tries_from_one_address_wait_whatever_the_names() {
    let (_folder, node) = node();
    led(&node);
    let accounts = node.accounts();
    let mut waits = false;
    for number in 0..60 {
        let email = format!("nobody{number}@hub.example");
        let tried = accounts.sign_in(&email, "wrong", HERE, NOON);
        waits |= matches!(tried, Err(AccountError::SignIn(RefusedSignIn::Wait(_))));
    }
    assert!(waits);
    let elsewhere = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
    accounts
        .sign_in("ama@hub.example", PASSWORD, elsewhere, NOON)
        .expect("others are not held up");
}

#[test]
fn a_role_that_ends_stops_a_live_session_at_its_next_request() {
    let (_folder, node) = node();
    let (token, _) = led(&node);
    let accounts = node.accounts().at(NOON);
    let lead = session(&accounts, &token, NOON);
    let roles = [
        role("administrator", "", Some("2026-11-28")),
        role("senior link", "", None),
    ];
    let ben = invited(&node, &lead, "ben@hub.example", &roles);
    let (his, _) = whole(&accounts, "ben@hub.example", NOON);
    let acting = |ms: u64| session(&accounts, &his, ms).role.map(|role| role.role);
    assert_eq!(acting(NOON).as_deref(), Some("administrator"));
    let him = session(&accounts, &his, NOON);
    accounts.act_as(&him, 0).expect("he chooses it");
    let denied = accounts.invite(By::Session(&him), "Eve", "eve@hub.example", &[]);
    assert!(matches!(denied, Err(AccountError::MayNot(_))));

    // On its last day it holds, and at midnight it has ended; no other takes its place unasked.
    let evening = NOON + 11 * HOUR;
    let (late, _) = {
        let again = accounts.reset(By::Session(&lead), ben).expect("a new link");
        accounts
            .set_up(&again.token, &chosen("", ""))
            .expect("it works");
        whole(&accounts, "ben@hub.example", evening + DAY)
    };
    let him = session(&accounts, &late, evening + DAY);
    accounts
        .at(evening + DAY)
        .act_as(&him, 0)
        .expect("the last day");
    let after = session(&accounts, &late, evening + DAY + HOUR / 2);
    assert_eq!(
        after.role.map(|role| role.role).as_deref(),
        Some("administrator")
    );
    let after = session(&accounts, &late, evening + DAY + HOUR);
    assert_eq!(after.role, None);
    assert!(matches!(node.desk_of(&after), Err(RecordsError::Role(_))));
    let at = accounts.at(evening + DAY + HOUR);
    assert!(at.act_as(&after, 0).is_err());
    at.act_as(&after, 1).expect("the other role holds");

    // Ended by hand: at once.
    accounts
        .at(evening + DAY + HOUR)
        .end_role(By::Session(&lead), ben, 1, None)
        .expect("the hub lead ends it");
    assert_eq!(session(&accounts, &late, evening + DAY + HOUR).role, None);
    accounts
        .end_account(By::Session(&lead), ben)
        .expect("he leaves");
    assert!(has_ended(&accounts, &late, evening + DAY + HOUR));
    let again = accounts.sign_in("ben@hub.example", PASSWORD, HERE, NOON);
    assert!(matches!(
        again,
        Err(AccountError::SignIn(RefusedSignIn::Wrong))
    ));
}

#[test]
fn sessions_end_when_nobody_uses_them_and_in_any_case_after_half_a_day() {
    let (_folder, node) = node();
    let (token, _) = led(&node);
    let accounts = node.accounts();
    assert!(has_ended(&accounts, &token, NOON + 32 * MINUTE));
    // Used every twenty minutes.
    let mut now = NOON;
    while now < NOON + 12 * HOUR - 20 * MINUTE {
        now += 20 * MINUTE;
        session(&accounts, &token, now);
        // Anything written waits for what was to be written before.
        accounts
            .audit(None, "a page was read", "/", true)
            .expect("a line");
    }
    assert!(has_ended(&accounts, &token, NOON + 12 * HOUR));

    let (token, _) = {
        let accounts = node.accounts().at(NOON);
        let id = accounts.find_by_email("ama@hub.example").expect("she").id;
        let link = accounts.reset(By::CommandLine, id).expect("a link");
        accounts
            .set_up(&link.token, &chosen("", ""))
            .expect("it works");
        whole(&accounts, "ama@hub.example", NOON)
    };
    let her = session(&accounts, &token, NOON);
    accounts.sign_out(&her).expect("she signs out");
    assert!(has_ended(&accounts, &token, NOON));
}

#[test]
fn nobody_ends_their_own_access() {
    let (_folder, node) = node();
    let (token, _) = led(&node);
    let accounts = node.accounts().at(NOON);
    let lead = session(&accounts, &token, NOON);
    let (by, own) = (By::Session(&lead), lead.account.id);
    assert!(matches!(
        accounts.end_account(by, own),
        Err(AccountError::MayNot(_))
    ));
    assert!(matches!(
        accounts.end_role(by, own, 0, None),
        Err(AccountError::MayNot(_))
    ));
    assert!(matches!(
        accounts.reset(by, own),
        Err(AccountError::MayNot(_))
    ));
    let other = role("analyst", "", None);
    accounts
        .give_role(by, own, &other)
        .expect("she may give herself another role");
}

#[test]
fn a_changed_password_ends_the_other_sessions() {
    let (_folder, node) = node();
    let (token, secret) = led(&node);
    let later = NOON + 5 * MINUTE;
    let accounts = node.accounts().at(later);
    let begun = accounts
        .sign_in("ama@hub.example", PASSWORD, HERE, later)
        .expect("the password is right");
    let half = session(&accounts, &begun.token, later);
    let other = accounts
        .confirm_second_factor(&half, &code(&secret, later))
        .expect("the code is right");
    let her = session(&accounts, &token, later);
    let new = "a harbour full of gulls";
    let wrong = accounts.change_password(&her, "not her password", new);
    assert!(matches!(wrong, Err(AccountError::Password(_))));
    accounts
        .change_password(&her, PASSWORD, new)
        .expect("it is changed");
    assert!(has_ended(&accounts, &other.token, later));
    session(&accounts, &token, later);
    assert!(
        accounts
            .sign_in("ama@hub.example", PASSWORD, HERE, later)
            .is_err()
    );
    accounts
        .sign_in("ama@hub.example", new, HERE, later)
        .expect("the new one works");
    accounts.sign_out_everywhere(&her).expect("she signs out");
    assert!(has_ended(&accounts, &token, later));
}

#[test]
fn a_restored_backup_holds_the_accounts_and_no_session_or_link() {
    let (folder, node) = node();
    let (token, secret) = led(&node);
    let accounts = node.accounts().at(NOON);
    let lead = session(&accounts, &token, NOON);
    let link = accounts
        .invite(By::Session(&lead), "Ben", "ben@hub.example", &[])
        .expect("an invitation");
    let file = folder.path().join("backup.db");
    node.backup(&file, &[]).expect("a backup");
    let path = folder.path().join("node");
    drop(lead);
    drop(accounts);
    drop(node);

    let text =
        |path: &Path| String::from_utf8_lossy(&std::fs::read(path).expect("a file")).into_owned();
    assert!(text(&file).contains("ama@hub.example"));
    assert!(!text(&file).contains(PASSWORD) && !text(&file).contains(&token));
    Restore::prepare(&path, &file, None)
        .and_then(Restore::commit)
        .expect("the backup is put back");
    let node = Node::open(&path).expect("the node opens");
    let accounts = node.accounts();
    assert_eq!(accounts.list().expect("the accounts").len(), 2);
    assert!(has_ended(&accounts, &token, NOON));
    assert!(matches!(
        accounts.at(NOON).link(&link.token),
        Err(AccountError::Link)
    ));
    let later = NOON + HOUR;
    let begun = accounts
        .sign_in("ama@hub.example", PASSWORD, HERE, later)
        .expect("the password is as it was");
    let half = session(&accounts, &begun.token, later);
    accounts
        .at(later)
        .confirm_second_factor(&half, &code(&secret, later))
        .expect("and so is the second factor");
}

#[test]
fn accounts_for_trying_out_never_stand_beside_real_ones() {
    let secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
    let trial = |email: &str| TryingOut {
        name: "Demo".to_owned(),
        email: email.to_owned(),
        password: PASSWORD.to_owned().into(),
        secret: Some(secret.to_owned().into()),
        roles: vec![role("hub lead", "", None)],
    };
    let (_folder, fresh) = node();
    let accounts = fresh.accounts().at(NOON);
    let id = accounts
        .try_out(&trial("demo@hub.example"))
        .expect("it works at once");
    let begun = accounts
        .sign_in("demo@hub.example", PASSWORD, HERE, NOON)
        .expect("the password is right");
    let half = session(&accounts, &begun.token, NOON);
    let done = accounts
        .confirm_second_factor(&half, &code(secret, NOON))
        .expect("the code is right");
    let demo = session(&accounts, &done.token, NOON);
    assert!(demo.account.trying_out);
    invited(&fresh, &demo, "ben@hub.example", &[]);
    accounts
        .try_out(&trial("other@hub.example"))
        .expect("more of them");
    let real = accounts.invite(By::CommandLine, "Ama", "ama@hub.example", &[]);
    assert!(matches!(real, Err(AccountError::Refused(_))));
    assert!(accounts.first_link().is_err());
    for account in accounts.list().expect("the accounts") {
        accounts
            .end_account(By::CommandLine, account.id)
            .expect("it ends");
    }
    accounts
        .invite(
            By::CommandLine,
            "Ama",
            "ama@hub.example",
            &[role("hub lead", "", None)],
        )
        .expect("now a real one");
    assert!(accounts.try_out(&trial("third@hub.example")).is_err());
    let reopened = accounts.reset(By::CommandLine, id);
    assert!(matches!(reopened, Err(AccountError::Refused(_))));

    let (_folder, real) = node();
    led(&real);
    let refused = real.accounts().try_out(&trial("demo@hub.example"));
    assert!(matches!(refused, Err(AccountError::Refused(_))));
}

#[test]
fn what_is_done_and_what_is_refused_leaves_lines_without_names() {
    let (_folder, node) = node();
    let (token, _) = led(&node);
    let accounts = node.accounts().at(NOON);
    let lead = session(&accounts, &token, NOON);
    invited(
        &node,
        &lead,
        "ben@hub.example",
        &[role("administrator", "", None)],
    );
    let refused = accounts.sign_in("ben@hub.example", "not his password", HERE, NOON);
    assert!(refused.is_err());
    let (his, _) = whole(&accounts, "ben@hub.example", NOON);
    let him = session(&accounts, &his, NOON);
    assert!(
        accounts
            .end_account(By::Session(&him), lead.account.id)
            .is_err()
    );
    let lines = accounts.audit_lines(100).expect("the lines");
    let refused = lines
        .iter()
        .filter(|line| !line.allowed)
        .collect::<Vec<_>>();
    assert_eq!(refused.len(), 2);
    assert_eq!(
        (refused[0].event.as_str(), refused[0].who),
        ("end account", Some(him.account.id))
    );
    let text = format!("{lines:?}{lead:?}{:?}", accounts.first_link());
    for secret in ["Ama", "Ben", "hub.example", PASSWORD, &token, &lead.csrf] {
        assert!(!text.contains(secret), "{secret} stands in {text}");
    }
}

#[test]
fn nothing_that_a_visitor_types_gets_in_or_breaks_anything() {
    let (_folder, node) = node();
    let (token, _) = led(&node);
    let accounts = node.accounts().at(NOON);
    let long = "x".repeat(1_000_000);
    let mut changed = token.clone();
    changed.replace_range(0..1, if token.starts_with('A') { "B" } else { "A" });
    let tokens = [
        "",
        "AA",
        "../../etc",
        "\0",
        "' OR 1=1 --",
        &long,
        &token[1..],
        &changed,
    ];
    for text in tokens {
        assert!(
            accounts.session(text, NOON).expect("an answer").is_none(),
            "{text:.40}"
        );
        assert!(
            matches!(accounts.link(text), Err(AccountError::Link)),
            "{text:.40}"
        );
        assert!(
            accounts.set_up(text, &chosen("a", "a@b")).is_err(),
            "{text:.40}"
        );
    }
    for email in [
        "",
        "@",
        "ama@hub.example\0",
        "' OR ''='",
        &long,
        "ama@hub.example ",
    ] {
        let tried = accounts.sign_in(email, &long, HERE, NOON);
        assert!(matches!(tried, Err(AccountError::SignIn(_))), "{email:.40}");
    }
    let lead = session(&accounts, &token, NOON);
    let by = By::Session(&lead);
    let holder = |role: &str, holder: &str| GivenRole {
        role: role.to_owned(),
        holder: holder.to_owned(),
        from: String::new(),
        until: None,
    };
    for wrong in [
        role("", "", None),
        role("king", "", None),
        role("analyst", "tomorrow", None),
        role("analyst", "2026-W48-5", None),
        role("analyst", "2026-11-27", Some("2026-11-26")),
        holder("work group lead", ""),
        holder("work group lead", "nobody"),
        holder("administrator", "nobody"),
        holder("policy guest", ""),
    ] {
        let refused = accounts.give_role(by, lead.account.id, &wrong);
        assert!(
            matches!(refused, Err(AccountError::Refused(_))),
            "{wrong:?}"
        );
    }
    for (name, email) in [
        ("", "a@b.example"),
        (&long[..], "a@b.example"),
        ("A\u{7}", "a@b.example"),
        ("A", "a"),
        ("A", "a@b@c"),
        ("A", "a b@c"),
        ("A", &long[..]),
    ] {
        let refused = accounts.invite(by, name, email, &[]);
        assert!(
            matches!(refused, Err(AccountError::Refused(_))),
            "{name:.20} {email:.20}"
        );
    }
    for code in ["", "12345", "1234567", "１２３４５６", &long, "-12345"] {
        let begun = accounts.sign_in("ama@hub.example", PASSWORD, HERE, NOON + DAY);
        let Ok(begun) = begun else { break };
        let half = session(&accounts, &begun.token, NOON + DAY);
        assert!(
            accounts
                .at(NOON + DAY)
                .confirm_second_factor(&half, code)
                .is_err()
        );
    }
}
