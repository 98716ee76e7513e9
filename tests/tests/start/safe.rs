//! What every answer carries, and what none does.

use tests::world::World;

use crate::asking::Site;

const SOUTH: &str = "south-yorkshire";

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_carries_the_headers_that_browsers_keep_to() {
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    let site = Site::of(&world.hub(SOUTH).clone()).await;
    let mut answers = Vec::new();
    for path in [
        "/",
        "/start",
        "/start/connect",
        "/start/recovery-sheet",
        "/start/recovery-sheet/check",
        "/start/restore",
        "/settings",
        "/settings/restored",
        "/settings/certificate",
        "/held",
        "/import",
        "/import/schools",
        "/import/work-groups",
        "/import/people",
        "/import/members",
        "/import/nothing",
        "/import/check/7",
        "/export",
        "/jobs",
        "/jobs/7",
        "/jobs/x",
        "/no/such/page",
        "/assets/0/causeway.css",
        "/assets/0/nothing",
    ] {
        answers.push((path, site.get(path).await));
        answers.push((path, site.get_as_nobody(path).await));
    }
    for path in [
        "/settings/backup",
        "/settings/pause",
        "/start/skip",
        "/jobs/7/stop",
        "/export",
    ] {
        let forged = site.post_as_it_is(path, &[("csrf", "forged")]).await;
        assert_eq!(forged.status, 403, "{path}");
        answers.push((path, forged));
        answers.push((path, site.post_as_it_is(path, &[]).await));
    }
    for (path, answer) in &answers {
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        assert!(answer.status < 500, "{path}: {}", answer.body);
        // No way leads off this node.
        let to = answer.location();
        assert!(
            to.is_empty() || (to.starts_with('/') && !to.starts_with("//")),
            "{path}: {to}"
        );
        for inline in ["style=\"", "onclick=", "<style", "javascript:"] {
            assert!(!answer.has(inline), "{path} holds {inline}");
        }
        if answer.header("content-type").starts_with("text/html") && answer.status < 300 {
            assert_eq!(answer.body.matches("<h1").count(), 1, "{path}: one heading");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_signs_in_by_a_link_that_leads_elsewhere() {
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    let site = Site::of(&world.hub(SOUTH).clone()).await;
    for path in [
        "//evil.example/x",
        "/\\evil.example",
        "/settings?next=//evil.example",
    ] {
        let led = site.get_as_nobody(path).await;
        let to = led.location();
        assert!(to.is_empty() || to.starts_with("/sign-in"), "{path}: {to}");
    }
}
