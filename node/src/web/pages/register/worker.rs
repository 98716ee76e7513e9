//! What a browser keeps so that registers open without a network: the service worker, and the page
//! for everything else.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::response::{IntoResponse, Response};
use maud::html;
use serde_json::json;

use crate::web::{Web, assets, bare};

const SCRIPT: &str = include_str!("../../assets/sw.js");

/// `GET /sw.js`: it names the assets that are kept, so that it changes when they do.
pub(super) async fn script() -> Response {
    let names = assets::names().map(assets::address);
    let begin = format!(
        "const VERSION = {};\nconst ASSETS = {};\n",
        json!(assets::version()),
        json!(names.collect::<Vec<_>>()),
    );
    let headers = [
        (CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (CACHE_CONTROL, "no-cache"),
        (HeaderName::from_static("service-worker-allowed"), "/"),
    ];
    (headers, begin + SCRIPT).into_response()
}

/// `GET /offline`: what stands in the place of a page that cannot be had now.
pub(super) async fn offline(State(web): State<Web>) -> Response {
    let body = html! {
        p.lead { "There is no connection to your hub at present, so this page cannot be shown." }
        p { "Nothing that was saved is lost. Try again when this device has a network." }
        div id="offline" {
            noscript { p { "Registers that were kept on this device need scripts to be listed here." } }
        }
        script type="module" src=(assets::address("offline.js")) {}
    };
    bare(&web, StatusCode::OK, "You are offline", &body)
}
