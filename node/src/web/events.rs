//! What arrives live: server-sent events that say that something changed, and never what.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};

use super::Visit;

/// The shortest time between two events to one page.
const PAUSE: Duration = Duration::from_millis(500);
/// When a page is told once more after news: what others acknowledge and sign for comes a little
/// later than what it answers, and by itself is no news.
const SETTLED: Duration = Duration::from_secs(3);
/// How long one stream lives; a browser opens the next, which checks the session again.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// Tells a page that records, here or elsewhere, or peers have changed; the page then asks for what
/// it shows.
pub(super) async fn serve(visit: Visit) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let node = visit.web().node().clone();
    let mut stopping = visit.web().stopping();
    let (events, receiver) = tokio::sync::mpsc::channel(4);
    tokio::spawn(async move {
        let (mut listed, mut peers) = (node.listed(), node.peer_changes());
        drop(node);
        let end = tokio::time::sleep(LIFETIME);
        tokio::pin!(end);
        let mut again = false;
        loop {
            let mut news = true;
            let name = tokio::select! {
                () = &mut end => return,
                () = events.closed() => return,
                _stopping = stopping.wait_for(|stop| *stop) => return,
                changed = listed.changed() => match changed {
                    Ok(()) => "records",
                    Err(_) => return,
                },
                changed = peers.changed() => match changed {
                    Ok(()) => "peers",
                    Err(_) => return,
                },
                () = tokio::time::sleep(SETTLED), if again => {
                    news = false;
                    "peers"
                }
            };
            again = news;
            if events.send(name).await.is_err() {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    });
    // A browser passes over an event without data.
    let events =
        ReceiverStream::new(receiver).map(|name| Ok(Event::default().event(name).data("changed")));
    Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(20)))
}
