//! What a form sends.

use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest, RawForm, Request};
use axum::http::StatusCode;
use subtle::ConstantTimeEq;

use super::visit;
use super::{PageError, Web};

/// The most bytes of a form without files. Pages that take files say how large those may be.
pub(super) const FORM_BYTES_MAX: usize = 2 << 20;
/// The most fields of a form.
const FIELDS_MAX: usize = 4_000;

/// The fields of a form, in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

/// A form whose session and origin were checked.
#[derive(Debug, Clone)]
pub struct Posted(pub Form);

impl Form {
    /// The first value of a field, trimmed; empty if there is none.
    pub fn get(&self, name: &str) -> &str {
        self.find(name).unwrap_or_default().trim()
    }

    /// The first value of a field as it came, if there is one.
    pub fn find(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(field, _)| field == name);
        found.next().map(|(_, value)| value.as_str())
    }

    /// All values of a field that several inputs share.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let found = self.0.iter().filter(move |(field, _)| field == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether a box was ticked or a button pressed.
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some_and(|value| !value.is_empty())
    }

    /// All fields.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl FromIterator<(String, String)> for Form {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(fields: T) -> Self {
        // Browsers end lines in two characters; records have one.
        let fields = fields
            .into_iter()
            .map(|(name, value)| (name, value.replace("\r\n", "\n")));
        Self(fields.collect())
    }
}

impl FromRequest<Web> for Posted {
    type Rejection = PageError;

    async fn from_request(request: Request, web: &Web) -> Result<Self, PageError> {
        // Nothing is read from whoever is not signed in.
        let session = visit::session(request.headers(), web).await?;
        let session = session.ok_or_else(|| PageError::redirect("/sign-in"))?;
        let form = Form::from_request(request, web).await?;
        check(Some(session.csrf.as_str()), &form)?;
        Ok(Self(form))
    }
}

/// A form from somebody who is not signed in yet, as to sign in. The origin alone is checked.
impl FromRequest<Web> for Form {
    type Rejection = PageError;

    async fn from_request(request: Request, web: &Web) -> Result<Self, PageError> {
        let too_large = || {
            PageError::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "This is too much at once",
                "The form was larger than 2 MB, so nothing was saved. Shorten the text, or save it \
                 in parts.",
            )
        };
        let form = RawForm::from_request(request, web).await;
        let RawForm(bytes) = form.map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                too_large()
            } else {
                PageError::wrong(
                    "The form did not arrive whole, so nothing was saved. Go back, and send it again.",
                )
            }
        })?;
        let fields = form_urlencoded::parse(&bytes).into_owned();
        let fields = fields.take(FIELDS_MAX + 1).collect::<Vec<_>>();
        if fields.len() > FIELDS_MAX {
            return Err(PageError::wrong(
                "The form had too many fields; nothing was saved.",
            ));
        }
        Ok(fields.into_iter().collect())
    }
}

pub(super) fn broken_off(error: &MultipartError) -> PageError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return PageError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "The file is too large",
            "A file may have at most 16 MB; nothing was done. Save the sheet without pictures, or \
             divide it.",
        );
    }
    PageError::wrong("The file did not arrive whole; nothing was done. Send it again.")
}

/// Checks that the form was made for this session.
pub(super) fn check(csrf: Option<&str>, form: &Form) -> Result<(), PageError> {
    let sent = form.get("csrf");
    let Some(csrf) = csrf else {
        return Err(PageError::redirect("/sign-in"));
    };
    if bool::from(csrf.as_bytes().ct_eq(sent.as_bytes())) {
        return Ok(());
    }
    Err(PageError::new(
        StatusCode::FORBIDDEN,
        "This form is from an earlier visit",
        "You signed in again after this page was opened, so nothing was saved. Go back, load the \
         page anew and send it again; a draft is kept in this browser.",
    ))
}
