//! Figures that are computed from records, told as stories.

mod evaluation;
mod measures;
mod picture;
mod projects;
mod reach;

use node_domain::Object;
use serde_json::Value as Json;

fn object(json: Json) -> Object {
    json.as_object().expect("an object").clone()
}
