//! What every answer carries so that a browser keeps to it.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, ORIGIN, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;

use super::page_error::PageError;
use super::{Web, layout};

/// Everything from this node, nothing inline, in no frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; \
    frame-ancestors 'none'; base-uri 'none'";

/// Puts the headers on, and turns away what asks for these pages under a name that is not theirs
/// or writes from another site: a page elsewhere that a name was pointed from must not reach a
/// node on somebody's own machine.
pub(super) async fn guard(State(web): State<Web>, mut request: Request, next: Next) -> Response {
    if web.address().is_behind_proxy()
        && let Some(asked_for) = asked_for(&request)
    {
        request.extensions_mut().insert(ConnectInfo(asked_for));
    }
    let refused = refusal(&web, &request);
    let mut response = match refused {
        Some(sentence) => layout::bare(
            &web,
            StatusCode::MISDIRECTED_REQUEST,
            "This address is not served here",
            &maud::html! { p { (sentence) } },
        ),
        None => {
            let span = tracing::info_span!(
                "page",
                method = %request.method(),
                // As it was declared, without what stands in it.
                route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str),
            );
            next.run(request).instrument(span).await
        }
    };
    let secure = web.address().is_secure();
    let headers = response.headers_mut();
    let mut put = |name: HeaderName, value: &'static str| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    put(CONTENT_SECURITY_POLICY, POLICY);
    put(X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(X_FRAME_OPTIONS, "DENY");
    put(REFERRER_POLICY, "same-origin");
    put(
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    );
    put(
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    );
    put(
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    );
    put(CACHE_CONTROL, "no-store");
    if secure {
        put(STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    response
}

/// For whom a proxy in front asks: the last in its list, which it wrote itself.
fn asked_for(request: &Request) -> Option<SocketAddr> {
    let mut lists = request.headers().get_all("x-forwarded-for").iter();
    let last = lists.next_back()?.to_str().ok()?.rsplit(',').next()?.trim();
    Some(SocketAddr::new(last.parse().ok()?, 0))
}

fn refusal(web: &Web, request: &Request) -> Option<&'static str> {
    let header = |name| request.headers().get(name).and_then(|it| it.to_str().ok());
    // HTTP/2 says the host in the address instead.
    let host = header(HOST).or_else(|| request.uri().authority().map(|it| it.as_str()));
    if !host.is_some_and(|host| web.address().serves(host)) {
        return Some(
            "This node does not serve pages under that name. Use the address that it printed when \
             it started, or tell whoever runs it to add the name to its settings.",
        );
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let from_elsewhere = match header(HeaderName::from_static("sec-fetch-site")) {
        Some(site) => !matches!(site, "same-origin" | "none"),
        None => header(ORIGIN).is_some_and(|origin| {
            let host_of = origin.split_once("://").map(|(_, host)| host);
            host_of != host
        }),
    };
    (!reads && from_elsewhere).then_some(
        "This form came from another site, so nothing was done. Open the page here and send it \
         from there.",
    )
}

/// What no page answers to.
pub(super) async fn not_found(State(web): State<Web>) -> Response {
    PageError::missing().with(&web).into_response()
}
