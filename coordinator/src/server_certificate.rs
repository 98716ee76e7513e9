//! What the coordinator's port shows and accepts: its own certificate, which is made anew before it
//! runs out, one of a public authority beside it if there is one, and the nodes' authorities.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use node::Node;
use node::clock::now_ms;
use node::tls::{
    Acceptor, Address, CertificateFiles, Credentials, LiveCertificate, LiveClients, Stamp,
};

use crate::CoordinatorError;
use crate::certificates::Certificates;

/// How often it is looked whether files were changed, or a certificate is to be made anew.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// The certificates that are in use at the port.
#[derive(Debug)]
pub struct ServerCertificate {
    certificates: Arc<Certificates>,
    names: Vec<String>,
    live: Arc<LiveCertificate>,
    clients: Arc<LiveClients>,
    own: Mutex<Credentials>,
    public: Option<PublicCertificate>,
}

/// One that a public authority made, in files that somebody else renews.
#[derive(Debug)]
struct PublicCertificate {
    files: CertificateFiles,
    /// Where hubs connect, for which it has to be.
    address: Address,
    read: Mutex<Read>,
}

/// What came of the files.
#[derive(Debug, Default)]
struct Read {
    /// What is shown of them: when they were changed, and when the certificate ends, in ms since 1970.
    shown: Option<(Stamp, u64)>,
    /// Why they could not be used when this was last tried.
    failed: Option<String>,
}

impl ServerCertificate {
    /// Makes one for these DNS names and IP addresses, and an acceptor that shows it.
    ///
    /// # Errors
    /// [`CoordinatorError::Certificate`] if a name is not one, [`CoordinatorError::Tls`].
    pub fn issue(
        certificates: Arc<Certificates>,
        names: Vec<String>,
        now_ms: u64,
    ) -> Result<(Self, Acceptor), CoordinatorError> {
        let own = certificates.issuer().issue_server(&names, now_ms)?;
        let acceptor = Acceptor::new(&own, &certificates.accepted_pem())?;
        let certificate = Self {
            certificates,
            names,
            live: acceptor.certificate(),
            clients: acceptor.clients(),
            own: Mutex::new(own),
            public: None,
        };
        Ok((certificate, acceptor))
    }

    /// Shows what is in `files` too, to whoever dials `address`. Where it cannot be used, its own is
    /// shown, the log says why, and it is tried again.
    pub fn show_public(&mut self, files: CertificateFiles, address: Address) {
        self.public = Some(PublicCertificate {
            files,
            address,
            read: Mutex::default(),
        });
        self.read_public();
    }

    /// Makes its own anew if two thirds of its life have passed; says whether it did.
    ///
    /// # Errors
    /// [`CoordinatorError::Certificate`] or [`CoordinatorError::Tls`]; the old one stays in use.
    pub fn renew_if_due(&self, now_ms: u64) -> Result<bool, CoordinatorError> {
        let due = self.own().renewal_due(now_ms);
        if due {
            self.renew(now_ms)?;
        }
        Ok(due)
    }

    /// Makes its own anew, from the authority that signs now, and accepts the nodes of those that are
    /// accepted now.
    ///
    /// # Errors
    /// As [`ServerCertificate::renew_if_due`].
    pub fn renew(&self, now_ms: u64) -> Result<(), CoordinatorError> {
        self.clients.replace(&self.certificates.accepted_pem())?;
        let issuer = self.certificates.issuer();
        let next = issuer.issue_server(&self.names, now_ms)?;
        self.live.replace(&next)?;
        *self.own() = next;
        Ok(())
    }

    /// When its own ends, in ms since 1970.
    pub fn not_after_ms(&self) -> u64 {
        self.own().not_after_ms()
    }

    /// When the public one ends, in ms since 1970, if there is one.
    pub fn public_ends_ms(&self) -> Option<u64> {
        let public = self.public.as_ref()?;
        public.read().shown.as_ref().map(|(_, end_ms)| *end_ms)
    }

    /// Keeps all of it fresh for as long as the task runs.
    pub(crate) async fn keep_fresh(self: Arc<Self>, node: Node) {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            match self.renew_if_due(now_ms()) {
                Ok(true) => tracing::info!("the server's certificate was renewed"),
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(%error, "the server's certificate cannot be renewed");
                }
            }
            let here = Arc::clone(&self);
            if tokio::task::spawn_blocking(move || here.read_public())
                .await
                .is_err()
            {
                return;
            }
            self.tell(&node);
        }
    }

    /// Tells the metrics when each ends.
    pub(crate) fn tell(&self, node: &Node) {
        node.certificate_ends("server", self.not_after_ms());
        if let Some(end_ms) = self.public_ends_ms() {
            node.certificate_ends("public", end_ms);
        }
        if let Ok(end_ms) = self.certificates.issuer().not_after_ms() {
            node.certificate_ends("authority", end_ms);
        }
    }

    /// Reads the public one again unless what is shown is what is there. Where what is there cannot be
    /// used, the one before stays.
    fn read_public(&self) {
        let Some(public) = &self.public else {
            return;
        };
        let stamp = public.files.stamp();
        if public
            .read()
            .shown
            .as_ref()
            .is_some_and(|(shown, _)| *shown == stamp)
        {
            return;
        }
        let read = public.files.read().map_err(CoordinatorError::from);
        let shown = read.and_then(|credentials| {
            let end_ms = credentials.not_after_ms();
            self.live.show_public(credentials, &public.address)?;
            Ok(end_ms)
        });
        match shown {
            Ok(end_ms) => {
                tracing::info!("the port shows a new public certificate");
                *public.read() = Read {
                    shown: Some((stamp, end_ms)),
                    failed: None,
                };
            }
            // While two files are being replaced they may not fit for a moment.
            Err(error) => {
                let why = error.to_string();
                let mut read = public.read();
                if read.failed.as_ref() != Some(&why) {
                    tracing::error!(%error, "the public certificate cannot be used");
                }
                read.failed = Some(why);
            }
        }
    }

    fn own(&self) -> MutexGuard<'_, Credentials> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PublicCertificate {
    fn read(&self) -> MutexGuard<'_, Read> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
