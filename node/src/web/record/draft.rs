//! Forms, and whether what is typed into them may stay in the browser.

use maud::{Markup, html};
use node_domain::{Class, Field};

use crate::records::{Desk, RecordsError};
use crate::web::Visit;

/// The name under which a browser keeps a form's draft; none where it may not. Personal data stays
/// in browsers only where the hub's profile allows it on portable devices.
///
/// # Errors
/// [`RecordsError::Store`].
pub fn draft_of(
    desk: &Desk,
    path: &str,
    fields: &[&'static Field],
) -> Result<Option<String>, RecordsError> {
    let personal = fields.iter().any(|field| field.class == Class::Personal);
    let kept = !personal || desk.keeps_personal_data()?;
    Ok(kept.then(|| path.to_owned()))
}

/// A form that is sent to this node, with the draft that the browser keeps of it, and the heads from
/// which it was made.
pub fn form(
    visit: &Visit,
    action: &str,
    draft: Option<&str>,
    heads: &str,
    inner: &Markup,
) -> Markup {
    html! {
        form method="post" action=(action) novalidate data-draft=[draft] {
            input type="hidden" name="csrf" value=(visit.csrf());
            @if !heads.is_empty() { input type="hidden" name="heads" value=(heads); }
            // Enter saves, whatever other buttons stand in the form.
            button type="submit" hidden { "Save" }
            (inner)
        }
    }
}
