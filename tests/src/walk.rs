//! Walking through pages by their links.

/// The kind of page at an address: what differs from record to record is left out, and what is
/// asked.
pub fn kind_of(link: &str) -> String {
    let path = link.split(['?', '#']).next().unwrap_or_default();
    let (mut before, mut list) = ("", false);
    let parts = path.split('/').map(|part| {
        let digits = part.bytes().any(|byte| byte.is_ascii_digit());
        let named = ["change", "items"].contains(&before);
        let item = list && part != "new";
        list = before == "items";
        before = part;
        match part {
            _ if named => "{part}",
            _ if digits || item => "{id}",
            _ => part,
        }
    });
    parts.collect::<Vec<_>>().join("/")
}

#[test]
fn pages_of_one_kind_have_one_name() {
    let names = [
        ("/", "/"),
        ("/plans/abc2/share?with=x#top", "/plans/{id}/share"),
        (
            "/plans/abc2/items/sessions/qwert",
            "/plans/{id}/items/{part}/{id}",
        ),
        (
            "/plans/abc2/items/sessions/new",
            "/plans/{id}/items/{part}/new",
        ),
        ("/plans/abc2/items/sessions", "/plans/{id}/items/{part}"),
        ("/plans/abc2/change/where", "/plans/{id}/change/{part}"),
    ];
    for (link, name) in names {
        assert_eq!(kind_of(link), name);
    }
}
