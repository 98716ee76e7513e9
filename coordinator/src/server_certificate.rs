//! The server's certificate, which is made anew before it runs out.

use std::sync::Arc;
use std::time::Duration;

use node::Node;
use node::clock::now_ms;
use node::tls::{Acceptor, CertificateAuthority, Credentials, LiveCertificate};

use crate::CoordinatorError;

/// How often the certificate's age is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(3_600);

/// A certificate that is in use.
#[derive(Debug)]
pub struct ServerCertificate {
    authority: CertificateAuthority,
    names: Vec<String>,
    live: Option<Arc<LiveCertificate>>,
    shown: Credentials,
}

impl ServerCertificate {
    /// Makes one for these DNS names and IP addresses.
    ///
    /// # Errors
    /// [`CoordinatorError::Certificate`] if a name is not one.
    pub fn issue(
        authority: CertificateAuthority,
        names: Vec<String>,
        now_ms: u64,
    ) -> Result<Self, CoordinatorError> {
        let shown = authority.issue_server(&names, now_ms)?;
        Ok(Self {
            authority,
            names,
            live: None,
            shown,
        })
    }

    /// An acceptor that shows it, and what it is replaced by.
    ///
    /// # Errors
    /// [`CoordinatorError::Tls`].
    pub fn acceptor(&mut self) -> Result<Acceptor, CoordinatorError> {
        let acceptor = Acceptor::new(&self.shown, &self.authority.certificate_pem())?;
        self.live = Some(acceptor.certificate());
        Ok(acceptor)
    }

    /// Replaces it if two thirds of its life have passed; says whether it did.
    ///
    /// # Errors
    /// [`CoordinatorError::Certificate`] or [`CoordinatorError::Tls`]; the old one stays in use.
    pub fn renew_if_due(&mut self, now_ms: u64) -> Result<bool, CoordinatorError> {
        if !self.shown.renewal_due(now_ms) {
            return Ok(false);
        }
        let next = self.authority.issue_server(&self.names, now_ms)?;
        if let Some(live) = &self.live {
            live.replace(&next)?;
        }
        self.shown = next;
        Ok(true)
    }

    /// When it ends, in ms since 1970.
    pub const fn not_after_ms(&self) -> u64 {
        self.shown.not_after_ms()
    }

    /// Renews it whenever that is due, for as long as the task runs.
    pub(crate) async fn keep_fresh(mut self, node: Node) {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        loop {
            looks.tick().await;
            match self.renew_if_due(now_ms()) {
                Ok(true) => {
                    node.certificate_ends("server", self.not_after_ms());
                    tracing::info!("the server's certificate was renewed");
                }
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(%error, "the server's certificate cannot be renewed");
                }
            }
        }
    }
}
