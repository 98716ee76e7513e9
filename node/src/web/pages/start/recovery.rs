//! The recovery sheet: words for the safe, with which a new computer takes this one's place.

use axum::Router;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use bip39::{Language, Mnemonic};
use maud::{Markup, html};
use node_domain::Problem;
use zeroize::Zeroizing;

use super::super::entry::password_again;
use super::{lead_only, note, noted};
use crate::Node;
use crate::clock::now_ms;
use crate::identity::{SHEET_DONE, SHEET_SHOWN};
use crate::web::{PageError, Posted, Visit, Web, parts, words};

const PATH: &str = "/start/recovery-sheet";
const TITLE: &str = "Recovery sheet";
const TWO_WORDS: &str = "Two words from the sheet";

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route(PATH, get(ask))
        .route("/start/recovery-sheet/show", post(show))
        .route("/start/recovery-sheet/check", get(ask_back).post(check))
}

/// The words of a node: what its identity is made from, so that whoever has them and a backup has
/// this node.
fn words_of(node: &Node) -> Result<Zeroizing<Vec<String>>, PageError> {
    let seed = Zeroizing::new(node.identity().seed());
    let made = Mnemonic::from_entropy_in(Language::English, seed.as_slice());
    let made = made.map_err(|_| PageError::wrong("The words cannot be made."))?;
    Ok(Zeroizing::new(made.words().map(str::to_owned).collect()))
}

async fn ask(visit: Visit) -> Result<Response, PageError> {
    lead_only(&visit)?;
    question(&visit, &[]).await
}

async fn question(visit: &Visit, problems: &[Problem]) -> Result<Response, PageError> {
    let node = visit.web().node().clone();
    let noted =
        move |_: &_| Ok::<_, PageError>((noted(&node, SHEET_SHOWN), noted(&node, SHEET_DONE)));
    let (shown, done) = visit.work(noted).await?;
    let inner = html! {
        @if shown {
            (parts::typed_input("password", "password", "Your password", "", "",
                problems.first().map(|it| it.message.as_str())))
        }
        (parts::button("Show the sheet"))
    };
    let body = html! {
        (parts::back("/start", super::TITLE))
        (parts::error_summary(problems))
        h1 { (TITLE) }
        @if done { p.lead { "The sheet was printed, and two of its words were given back." } }
        @else { p.lead { "Print this sheet and keep it in the safe." } }
        p { "It holds 24 words. With them and a backup, a new computer becomes this one if it breaks or \
            is stolen, without a new invitation. Whoever has the words and a backup has everything of \
            this hub, so keep the two apart, and neither in e-mail nor in a photograph." }
        @if shown { p { "The words were shown before, so your password is asked for." } }
        (parts::form("/start/recovery-sheet/show", visit.csrf(), &inner))
        @if shown && !done { p { a href="/start/recovery-sheet/check" { "I have printed it" } } }
    };
    Ok(visit.page(TITLE, &body))
}

async fn show(visit: Visit, Posted(form): Posted) -> Result<Response, PageError> {
    lead_only(&visit)?;
    let web = visit.web().clone();
    let node = web.node().clone();
    let shown = visit.work(move |_| Ok::<_, PageError>(noted(&node, SHEET_SHOWN)));
    if shown.await?
        && let Some(problem) = password_again(&visit, &form).await?
    {
        return question(&visit, &[problem]).await;
    }
    let who = Some(visit.session().account.id);
    let sheet = visit
        .work(move |_| {
            let node = web.node();
            note(node, SHEET_SHOWN)?;
            web.accounts()
                .audit(who, "recovery sheet shown", "", true)?;
            words_of(node)
        })
        .await?;
    let node = visit.web().node();
    let address = node
        .inner
        .membership()
        .and_then(|it| it.coordinator)
        .map(|contact| contact.address.to_string());
    let body = html! {
        h1 { (TITLE) }
        p.buttons { button.button type="button" data-print hidden { "Print" } }
        p { "For the safe. Keep it apart from the backups." }
        dl.summary {
            div { dt { "Hub" } dd { (node.hub_name()) } }
            div { dt { "Network" } dd { "Causeway of NCETM" } }
            @if let Some(address) = address { div { dt { "NCETM is reached at" } dd { (address) } } }
            div { dt { "Printed on" } dd { (words::day(&words::london_today(now_ms()))) } }
        }
        ol.recovery-words {
            @for word in sheet.iter() { li { (word) } }
        }
        p { "To use it: set up a new computer, choose “Restore from a backup” on its first page, and \
            type the words in this order." }
        p.buttons { a.button href="/start/recovery-sheet/check" { "I have printed it" } }
    };
    Ok(visit.page(TITLE, &body))
}

/// Which two words this session is asked for: always the same, so that nobody tries until the one
/// word they know comes up.
fn asked_for(visit: &Visit, count: usize) -> (usize, usize) {
    let hash = blake3::hash(visit.csrf().as_bytes());
    let byte = |at: usize| usize::from(hash.as_bytes()[at]);
    let first = byte(0) % count;
    let second = (first + 1 + byte(1) % (count - 1)) % count;
    (first.min(second), first.max(second))
}

async fn ask_back(visit: Visit) -> Result<Response, PageError> {
    lead_only(&visit)?;
    Ok(visit.page(TWO_WORDS, &give_back(&visit, &[])))
}

fn give_back(visit: &Visit, problems: &[Problem]) -> Markup {
    let (first, second) = asked_for(visit, 24);
    let problem_of = |field: &str| {
        let found = problems.iter().find(|it| it.field == field);
        found.map(|it| it.message.as_str())
    };
    let inner = html! {
        (parts::text_input("first", &format!("Word {}", first + 1), "", "", problem_of("first")))
        (parts::text_input("second", &format!("Word {}", second + 1), "", "", problem_of("second")))
        (parts::button("Check"))
    };
    html! {
        (parts::back(PATH, TITLE))
        (parts::error_summary(problems))
        h1 { (TWO_WORDS) }
        p { "Take the printed sheet and type these two words, so that it is certain that it can be read." }
        (parts::form("/start/recovery-sheet/check", visit.csrf(), &inner))
    }
}

async fn check(visit: Visit, Posted(form): Posted) -> Result<Response, PageError> {
    lead_only(&visit)?;
    let node = visit.web().node().clone();
    let (first, second) = asked_for(&visit, 24);
    let given = [("first", first), ("second", second)]
        .map(|(field, at)| (field, at, form.get(field).to_lowercase()));
    let problems = visit
        .work(move |_| {
            let sheet = words_of(&node)?;
            let wrong = given
                .iter()
                .filter(|(_, at, word)| sheet.get(*at) != Some(word));
            let wrong = wrong.map(|(field, at, _)| Problem {
                field: (*field).to_owned(),
                message: format!("This is not word {} of the sheet", at + 1),
            });
            let wrong = wrong.collect::<Vec<_>>();
            if wrong.is_empty() {
                note(&node, SHEET_DONE)?;
            }
            Ok::<_, PageError>(wrong)
        })
        .await?;
    if problems.is_empty() {
        visit.tell(crate::web::Flash::done(
            "The recovery sheet is done. Put it into the safe now.",
        ));
        return Ok(Redirect::to("/start").into_response());
    }
    Ok(visit.page(TWO_WORDS, &give_back(&visit, &problems)))
}
