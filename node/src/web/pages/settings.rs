//! Settings: how does this computer serve the hub, and is it safe?

use axum::Router;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::html;
use node_domain::{Duty, KINDS, Problem};

use super::entry::password_again;
use crate::backup::BackupError;
use crate::config::WebConfig;
use crate::web::SiteAuthority;
use crate::web::jobs::JobDone;
use crate::web::parts::{self, SummaryRow, Tone, tag};
use crate::web::record::list_path;
use crate::web::{Flash, PageError, Posted, Visit, Web, words};

const TITLE: &str = "Settings";

pub(crate) fn routes() -> Router<Web> {
    Router::new()
        .route("/settings", get(show))
        .route("/settings/backup", post(backup))
        .route("/settings/pause", post(pause))
        .route("/settings/certificate", get(certificate))
}

fn lead_only(visit: &Visit) -> Result<(), PageError> {
    let may = visit.desk().has(Duty::Settings);
    visit.require(may, "Settings are the hub lead's; ask them.")
}

/// The authority that this node made for its pages; none where somebody else's certificate is shown.
fn authority(web: &Web) -> Result<Option<SiteAuthority>, PageError> {
    let config = web.address().config();
    if config.certificate != WebConfig::OWN {
        return Ok(None);
    }
    let authority = SiteAuthority::for_pages(web.node().folder(), config);
    authority
        .map(Some)
        .map_err(|error| PageError::wrong(error.to_string()))
}

async fn show(visit: Visit) -> Result<Response, PageError> {
    lead_only(&visit)?;
    page(&visit, &[]).await
}

async fn page(visit: &Visit, problems: &[Problem]) -> Result<Response, PageError> {
    let web = visit.web().clone();
    let (own, restored) = visit
        .work(move |_| {
            let restored = web.node().lost()?.is_some();
            Ok::<_, PageError>((authority(&web)?, restored))
        })
        .await?;
    let node = visit.web().node();
    let config = node.config();
    let coordinator = visit.web().site().coordinator;
    let served = if visit.web().address().config().is_secure() {
        "Encrypted, for colleagues in their own browsers."
    } else {
        "For people at this computer alone."
    };
    let accounts = &config.accounts;
    let signing_in = format!(
        "Everybody has a second factor. After {} minutes without use, or {} hours, they sign in again.",
        accounts.idle_minutes.min(accounts.idle_minutes_writing),
        accounts.session_hours
    );
    let paused = node.is_paused();
    let profile = KINDS.iter().find(|kind| kind.name == "hub-profile");
    let mut rows = Vec::new();
    if !coordinator {
        let connected = if node.hub().is_some() {
            html! { "As " (node.hub_name()) ". " (tag("connected", Tone::Good)) }
        } else {
            html! { (tag("not connected", Tone::Look)) }
        };
        rows.push(SummaryRow::new("Connection", connected).change("/start/connect"));
        if let Some(profile) = profile {
            let says = html! { "What the hub says of itself, and how long it keeps what." };
            rows.push(SummaryRow::new("The hub's policies", says).change(list_path(profile)));
        }
        rows.push(
            SummaryRow::text("Recovery sheet", "24 words for the safe.")
                .change("/start/recovery-sheet"),
        );
    }
    rows.push(SummaryRow::new(
        "Web address",
        html! { (visit.web().address().spoken()) br; (served) },
    ));
    if let Some(own) = &own {
        rows.push(SummaryRow::new(
            "Certificate",
            html! {
                "Made here. Colleagues' devices have to trust it once: "
                a href="/settings/certificate" download { "take its file" }
                " to them yourself. Its words: " strong { (own.words()) }
            },
        ));
    }
    rows.push(SummaryRow::text("Signing in", signing_in).change("/access"));
    rows.push(SummaryRow::text("Version", env!("CARGO_PKG_VERSION")));
    let backup = html! {
        (parts::typed_input("password", "password", "Your password", "", "",
            problems.first().map(|it| it.message.as_str())))
        (parts::button("Back up now"))
    };
    let body = html! {
        (parts::error_summary(problems))
        h1 { (TITLE) }
        (parts::summary_list(&rows))
        h2 { "Backup" }
        p { "A whole, checked copy of what is on this computer, as one file. It holds everything, so keep \
            it where nobody else gets at it, and apart from the recovery sheet." }
        (parts::form("/settings/backup", visit.csrf(), &backup))
        @if !coordinator {
            h2 { "Sharing" }
            @if paused {
                p { (tag("paused", Tone::Look)) }
                p { "Nothing is sent and nothing arrives until you go on, or the program is started again." }
            } @else {
                p { "While it is paused nothing is sent and nothing arrives; what you write waits here." }
            }
            (parts::form("/settings/pause", visit.csrf(), &html! {
                input type="hidden" name="pause" value=(if paused { "" } else { "yes" });
                button.button.button-plain type="submit" {
                    @if paused { "Go on sharing" } @else { "Pause sharing" }
                }
            }))
        }
        h2 { "More" }
        ul.plain {
            li { a href="/start" { "What was set up" } }
            @if restored { li { a href="/settings/restored" { "What the last restore brought back" } } }
            li { a href="/held" { "What is held for checking" } }
            li { a href="/jobs" { "Long work" } }
        }
        p.soft { "Web address, certificate and signing in are changed in the file causeway.toml in the \
            program's data folder, by whoever looks after this computer." }
    };
    Ok(visit.page(TITLE, &body))
}

async fn backup(visit: Visit, Posted(form): Posted) -> Result<Response, PageError> {
    lead_only(&visit)?;
    if let Some(problem) = password_again(&visit, &form).await? {
        return page(&visit, &[problem]).await;
    }
    let web = visit.web().clone();
    let jobs = web.jobs().clone();
    let page = jobs.start(&visit, "Backup", move |work| {
        let keys = web.node().config().backup.recipients().unwrap_or_default();
        let made = web.node().backup(work.file(), &keys).map_err(|error| {
            if let BackupError::Store(error) = error {
                return error.into();
            }
            PageError::wrong(error.to_string())
        })?;
        let day = words::london_today(crate::clock::now_ms());
        let megabytes = made.bytes.div_ceil(1 << 20);
        let (sealed, suffix) = if keys.is_empty() {
            ("Whoever has it can read it.", "")
        } else {
            (
                "It is sealed, and opens with the key of backups alone.",
                ".age",
            )
        };
        Ok(JobDone {
            sentence: format!(
                "The backup is whole: {}, {} MB. {sealed}",
                words::counted(made.entries, "change", "changes"),
                words::number(megabytes)
            ),
            file: Some((
                format!("causeway-backup-{day}.db{suffix}"),
                "application/octet-stream".to_owned(),
            )),
            ..JobDone::default()
        })
    })?;
    let accounts = visit.web().accounts();
    let who = Some(visit.session().account.id);
    visit
        .work(move |_| accounts.audit(who, "backup made", "", true))
        .await?;
    Ok(Redirect::to(&page).into_response())
}

async fn pause(visit: Visit, Posted(form): Posted) -> Result<Redirect, PageError> {
    lead_only(&visit)?;
    let paused = form.has("pause");
    visit.web().node().pause(paused);
    visit.tell(Flash::done(if paused {
        "Sharing is paused."
    } else {
        "Sharing goes on."
    }));
    Ok(Redirect::to("/settings"))
}

async fn certificate(visit: Visit) -> Result<Response, PageError> {
    lead_only(&visit)?;
    let web = visit.web().clone();
    let own = visit.work(move |_| authority(&web)).await?;
    let own = own.ok_or_else(PageError::missing)?;
    let headers = [
        (CONTENT_TYPE, "application/x-x509-ca-cert"),
        (
            CONTENT_DISPOSITION,
            "attachment; filename=\"causeway-authority.crt\"",
        ),
    ];
    Ok((headers, own.certificate_pem()).into_response())
}
