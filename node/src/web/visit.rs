//! A visit: somebody signed in, in one role, looking at one page.

use axum::extract::FromRequestParts;
use axum::http::header::{ACCEPT, COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use cookie::Cookie;
use maud::Markup;

use super::{Flash, PageError, Web, layout};
use crate::accounts::{Needs, Session};
use crate::clock::now_ms;
use crate::records::{Desk, RecordsError};

/// What scripts say when they ask for the changing part of a page by themselves.
const LIVE: &str = "x-causeway-live";

/// Somebody signed in, with the role in which they act and what it reaches.
///
/// As an argument of a handler it sends whoever is not signed in to do so, and back afterwards.
#[derive(Debug, Clone)]
pub struct Visit {
    web: Web,
    session: Session,
    desk: Desk,
    path: String,
    fragment: bool,
}

impl Visit {
    /// The pages.
    pub fn web(&self) -> &Web {
        &self.web
    }

    /// Who is signed in.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// What the role reaches. It waits for the disk: use [`Visit::work`] from a handler.
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// What forms carry to prove that they are from here.
    pub fn csrf(&self) -> &str {
        &self.session.csrf
    }

    /// The address of the page that was asked for, with its question.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether a script asks for the changing part of the page alone (header `x-causeway-live`).
    pub fn is_fragment(&self) -> bool {
        self.fragment
    }

    /// Runs what waits for the disk, away from the tasks that answer everybody. What the role does
    /// not reach is refused and leaves an audit line.
    ///
    /// # Errors
    /// [`PageError`] as the work's error becomes one.
    pub async fn work<T, E>(
        &self,
        work: impl FnOnce(&Desk) -> Result<T, E> + Send + 'static,
    ) -> Result<T, PageError>
    where
        T: Send + 'static,
        E: Into<PageError> + Send + 'static,
    {
        let desk = self.desk.clone();
        let done = tokio::task::spawn_blocking(move || work(&desk)).await;
        let done = done.map_err(|_| broken())?.map_err(Into::into);
        if let Err(error) = &done
            && error.status() == StatusCode::FORBIDDEN
        {
            self.note_refused();
        }
        done
    }

    /// Checks something that is no record, such as who may change settings.
    ///
    /// # Errors
    /// [`PageError::not_allowed`], with an audit line.
    pub fn require(&self, allowed: bool, sentence: &str) -> Result<(), PageError> {
        if allowed {
            return Ok(());
        }
        self.note_refused();
        Err(PageError::not_allowed(sentence))
    }

    fn note_refused(&self) {
        let accounts = self.web.accounts();
        let path = self.path.split('?').next().unwrap_or_default().to_owned();
        let who = self.session.account.id;
        // The refusal is the answer either way; the line is written beside it.
        tokio::task::spawn_blocking(move || {
            if let Err(error) = accounts.audit(Some(who), "refused", &path, false) {
                tracing::warn!(%error, "an audit line could not be written");
            }
        });
    }

    /// Says a sentence on the next page that this person sees.
    pub fn tell(&self, flash: Flash) {
        self.web.flashes().put(self.csrf(), flash);
    }

    /// What waits to be said.
    pub(super) fn told(&self) -> Vec<Flash> {
        self.web.flashes().take(self.csrf())
    }

    /// A whole page, with this title as its heading's and window's.
    pub fn page(&self, title: &str, body: &Markup) -> Response {
        layout::page(self, title, body)
    }
}

fn broken() -> PageError {
    PageError::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Something went wrong here",
        "The page could not be made; nothing was changed. The program's log says why. Tell whoever \
         looks after this computer.",
    )
}

impl FromRequestParts<Web> for Visit {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, PageError> {
        let path = parts
            .uri
            .path_and_query()
            .map_or("/", |path| path.as_str())
            .to_owned();
        let Some(session) = session(&parts.headers, web).await? else {
            return Err(PageError::redirect(
                sign_in(&parts.method, &path, web).await?,
            ));
        };
        match session.needs {
            Needs::Nothing => {}
            Needs::SecondFactor => return Err(PageError::redirect("/second-factor")),
            Needs::SetUpSecondFactor => return Err(PageError::redirect("/account/second-factor")),
        }
        let node = web.node().clone();
        let of = session.clone();
        let desk = tokio::task::spawn_blocking(move || node.desk_of(&of)).await;
        let desk = match desk.map_err(|_| broken())? {
            Ok(desk) => desk,
            Err(RecordsError::Role(_)) => return Err(PageError::redirect("/account")),
            Err(error) => return Err(error.into()),
        };
        let home = path == "/" || path.starts_with("/?");
        if !web.site().coordinator && (home || web.node().hub().is_none()) {
            let (first, node, path) = (desk.clone(), web.node().clone(), path.clone());
            let first = tokio::task::spawn_blocking(move || {
                super::pages::comes_first(&first, &node, &path)
            });
            if first.await.map_err(|_| broken())? {
                return Err(PageError::redirect("/start"));
            }
        }
        Ok(Self {
            web: web.clone(),
            session,
            desk,
            path,
            fragment: parts.headers.contains_key(LIVE),
        })
    }
}

/// Where somebody who is not signed in goes: the first time of all to a page that says how.
async fn sign_in(method: &Method, path: &str, web: &Web) -> Result<String, PageError> {
    if !web.site().coordinator {
        let accounts = web.accounts();
        let empty = tokio::task::spawn_blocking(move || accounts.is_empty()).await;
        if empty.map_err(|_| broken())?? {
            return Ok("/start".to_owned());
        }
    }
    if *method == Method::GET && path != "/" {
        let mut query = url_query("next", path);
        query.insert_str(0, "/sign-in?");
        return Ok(query);
    }
    Ok("/sign-in".to_owned())
}

/// `name=value`, as an address has it.
pub fn url_query(name: &str, value: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair(name, value).finish()
}

/// Who is signed in, if anybody is, whatever is still needed of them.
pub(crate) async fn session(headers: &HeaderMap, web: &Web) -> Result<Option<Session>, PageError> {
    let Some(token) = token(headers, &cookie_name(web)) else {
        return Ok(None);
    };
    let accounts = web.accounts();
    let events = headers
        .get(ACCEPT)
        .is_some_and(|it| it == "text/event-stream");
    let by_itself = events || headers.contains_key(LIVE);
    let session = tokio::task::spawn_blocking(move || {
        if by_itself {
            accounts.session_unused(&token, now_ms())
        } else {
            accounts.session(&token, now_ms())
        }
    });
    Ok(session.await.map_err(|_| broken())??)
}

/// The session's cookie. Ports do not keep cookies apart, so its name does: two nodes on one
/// machine must not sign each other out.
pub fn cookie_name(web: &Web) -> String {
    let port = web.address().port();
    if web.address().is_secure() {
        format!("__Host-causeway-{port}")
    } else {
        format!("causeway-{port}")
    }
}

/// The token in the cookie of this name.
pub(crate) fn token(headers: &HeaderMap, name: &str) -> Option<String> {
    let cookies = headers.get_all(COOKIE).into_iter();
    let cookies = cookies.filter_map(|header| header.to_str().ok());
    let mut cookies = cookies.flat_map(|header| Cookie::split_parse(header.to_owned()));
    cookies.find_map(|cookie| {
        let cookie = cookie.ok()?;
        (cookie.name() == name).then(|| cookie.value().to_owned())
    })
}
