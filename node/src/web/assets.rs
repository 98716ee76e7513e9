//! Styles, scripts and pictures: all of them in the program itself.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::PageError;

/// A file that pages ask for.
#[derive(Debug)]
struct Asset {
    name: &'static str,
    kind: &'static str,
    content: &'static [u8],
}

const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

const ASSETS: &[Asset] = &[
    Asset {
        name: "causeway.css",
        kind: STYLE,
        content: include_bytes!("assets/causeway.css"),
    },
    Asset {
        name: "chart.css",
        kind: STYLE,
        content: include_bytes!("assets/chart.css"),
    },
    Asset {
        name: "causeway.js",
        kind: SCRIPT,
        content: include_bytes!("assets/causeway.js"),
    },
    Asset {
        name: "live.js",
        kind: SCRIPT,
        content: include_bytes!("assets/live.js"),
    },
    Asset {
        name: "drafts.js",
        kind: SCRIPT,
        content: include_bytes!("assets/drafts.js"),
    },
    Asset {
        name: "pick.js",
        kind: SCRIPT,
        content: include_bytes!("assets/pick.js"),
    },
    Asset {
        name: "work-groups.css",
        kind: STYLE,
        content: include_bytes!("assets/work-groups.css"),
    },
    Asset {
        name: "outbox.js",
        kind: SCRIPT,
        content: include_bytes!("assets/outbox.js"),
    },
    Asset {
        name: "register.js",
        kind: SCRIPT,
        content: include_bytes!("assets/register.js"),
    },
    Asset {
        name: "offline.js",
        kind: SCRIPT,
        content: include_bytes!("assets/offline.js"),
    },
    Asset {
        name: "idb-keyval.js",
        kind: SCRIPT,
        content: include_bytes!("assets/vendor/idb-keyval/idb-keyval.js"),
    },
    Asset {
        name: "mark.svg",
        kind: "image/svg+xml",
        content: include_bytes!("assets/mark.svg"),
    },
];

/// What all assets are together: part of their addresses, so that browsers keep them for good and
/// ask anew after an upgrade.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hash = blake3::Hasher::new();
    for asset in ASSETS {
        hash.update(asset.content);
    }
    let hash = hash.finalize();
    hash.to_hex().chars().take(8).collect()
});

/// The address of an asset.
pub fn address(name: &str) -> String {
    format!("/assets/{}/{name}", *VERSION)
}

/// What all assets are together.
pub fn version() -> &'static str {
    &VERSION
}

/// The names of all assets: what a page kept for offline use needs.
pub fn names() -> impl Iterator<Item = &'static str> {
    ASSETS.iter().map(|asset| asset.name)
}

/// Serves one. An older version's address gets the newest, and keeps it no longer than a page.
pub(super) async fn serve(Path((version, name)): Path<(String, String)>) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return PageError::missing().into_response();
    };
    let keep = if version == *VERSION {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let headers = [(CONTENT_TYPE, asset.kind), (CACHE_CONTROL, keep)];
    (headers, asset.content).into_response()
}

/// What a phone needs to put the pages on its first screen.
pub(super) async fn manifest() -> Response {
    let body = serde_json::json!({
        "name": "Causeway", "short_name": "Causeway", "start_url": "/", "display": "minimal-ui",
        "background_color": "#ffffff", "theme_color": "#12436d",
        "icons": [{ "src": address("mark.svg"), "sizes": "any", "type": "image/svg+xml" }],
    });
    let kind = [(CONTENT_TYPE, "application/manifest+json")];
    (kind, body.to_string()).into_response()
}
