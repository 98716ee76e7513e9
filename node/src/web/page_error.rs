//! Errors as pages: what went wrong and what to do, in words.

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use node_domain::{Problem, RecordError};
use node_store::StoreError;

use super::{Web, layout};
use crate::accounts::AccountError;
use crate::author::WriteError;
use crate::records::RecordsError;

/// How long whoever comes when too many are here waits.
const BUSY_SECONDS: u64 = 5;

/// Why a page could not be made or a form not taken. Nothing was changed.
#[derive(Debug)]
pub struct PageError {
    kind: ErrorKind,
    /// After how many seconds to ask again.
    retry_after: Option<u64>,
}

#[derive(Debug)]
enum ErrorKind {
    Redirect(String),
    Told {
        status: StatusCode,
        title: &'static str,
        sentence: String,
        problems: Vec<Problem>,
    },
}

impl PageError {
    /// An error page with this status, title and sentence.
    pub fn new(status: StatusCode, title: &'static str, sentence: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::Told {
                status,
                title,
                sentence: sentence.into(),
                problems: Vec::new(),
            },
            retry_after: None,
        }
    }

    /// Too many ask for this at once; it works again in a few seconds.
    pub fn busy(sentence: impl Into<String>) -> Self {
        Self {
            retry_after: Some(BUSY_SECONDS),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "Too many at once",
                sentence,
            )
        }
    }

    /// There is no such page.
    pub fn missing() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "Page not found",
            "There is no page at this address. It may have been typed or copied wrong, or what \
             stood there was erased.",
        )
    }

    /// The role does not reach this.
    pub fn not_allowed(sentence: impl Into<String>) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "You do not have access to this",
            sentence,
        )
    }

    /// What was sent cannot be used.
    pub fn wrong(sentence: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "There is a problem",
            sentence,
        )
    }

    /// The way leads elsewhere first, as to signing in.
    pub fn redirect(to: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::Redirect(to.into()),
            retry_after: None,
        }
    }

    /// What is wrong with the fields of a form, if that is what this is: forms show it beside them.
    pub fn problems(&self) -> &[Problem] {
        match &self.kind {
            ErrorKind::Told { problems, .. } => problems,
            ErrorKind::Redirect(_) => &[],
        }
    }

    /// The sentence that it shows; none if the way leads elsewhere.
    pub fn sentence(&self) -> &str {
        match &self.kind {
            ErrorKind::Told { sentence, .. } => sentence,
            ErrorKind::Redirect(_) => "",
        }
    }

    /// Whether a form could be sent again as it is: somebody changed the record meanwhile.
    pub fn status(&self) -> StatusCode {
        match &self.kind {
            ErrorKind::Told { status, .. } => *status,
            ErrorKind::Redirect(_) => StatusCode::SEE_OTHER,
        }
    }

    /// With the site's name around it.
    pub(super) fn with(self, web: &Web) -> Response {
        match self.kind {
            ErrorKind::Redirect(to) => Redirect::to(&to).into_response(),
            ErrorKind::Told {
                status,
                title,
                sentence,
                problems,
            } => {
                let answer = layout::bare(web, status, title, &told(&sentence, &problems));
                later(answer, self.retry_after)
            }
        }
    }
}

fn told(sentence: &str, problems: &[Problem]) -> Markup {
    html! {
        @if problems.is_empty() { p { (sentence) } } @else {
            ul { @for problem in problems { li { (problem.message) } } }
        }
        p { a href="/" { "Go to the first page" } }
    }
}

/// With the header that says when to ask again.
fn later(mut answer: Response, seconds: Option<u64>) -> Response {
    if let Some(seconds) = seconds {
        answer.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    answer
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        match self.kind {
            ErrorKind::Redirect(to) => Redirect::to(&to).into_response(),
            ErrorKind::Told {
                status,
                title,
                sentence,
                problems,
            } => {
                let answer = layout::plain(status, title, &told(&sentence, &problems));
                later(answer, self.retry_after)
            }
        }
    }
}

impl From<RecordsError> for PageError {
    fn from(error: RecordsError) -> Self {
        let sentence = error.to_string();
        let unprocessable = |sentence: String| Self::wrong(sentence);
        match error {
            RecordsError::Missing(_) | RecordsError::Id { .. } | RecordsError::Kind { .. } => {
                Self::new(
                    StatusCode::NOT_FOUND,
                    "This is not here",
                    "What you are looking for is not on this computer. It may not have arrived yet, \
                     or it was erased.",
                )
            }
            RecordsError::Role(_)
            | RecordsError::Write(
                WriteError::NoAccess | WriteError::NodeEnded | WriteError::Refused(_),
            ) => Self::not_allowed(sentence),
            RecordsError::Heads | RecordsError::Stale | RecordsError::Shown => Self::new(
                StatusCode::CONFLICT,
                "This has changed since you opened it",
                sentence,
            ),
            RecordsError::Record(RecordError::Problems(problems)) => Self {
                kind: ErrorKind::Told {
                    status: StatusCode::UNPROCESSABLE_ENTITY,
                    title: "There is a problem",
                    sentence,
                    problems,
                },
                retry_after: None,
            },
            RecordsError::Store(error) | RecordsError::Write(WriteError::Store(error)) => {
                Self::from(error)
            }
            RecordsError::Space(_)
            | RecordsError::Json(_)
            | RecordsError::Version { .. }
            | RecordsError::Refused(_)
            | RecordsError::Agreement(_)
            | RecordsError::Erase(_)
            | RecordsError::Record(_)
            | RecordsError::Write(WriteError::Run(_) | WriteError::Payload(_)) => {
                unprocessable(sentence)
            }
        }
    }
}

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a page could not be made");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "This computer cannot keep anything at present",
            format!(
                "{error}. Nothing that was saved is lost. Tell whoever looks after this computer, \
                 and try again."
            ),
        )
    }
}

impl From<AccountError> for PageError {
    fn from(error: AccountError) -> Self {
        let sentence = error.to_string();
        match error {
            AccountError::Store(error) => Self::from(error),
            AccountError::MayNot(_) => Self::not_allowed(sentence),
            AccountError::SessionEnded => Self::redirect("/sign-in"),
            AccountError::SecondFactorFirst => Self::redirect("/second-factor"),
            AccountError::Missing => Self::missing(),
            AccountError::Busy => Self::busy(super::words::capital(&sentence)),
            AccountError::SignIn(_)
            | AccountError::Link
            | AccountError::Password(_)
            | AccountError::Refused(_)
            | AccountError::NotFirst
            | AccountError::Hash => Self::wrong(sentence),
        }
    }
}
