//! The authority that signs certificates, and its replacement while hubs stay connected.

use coordinator_registry::Event;
use node::clock::now_ms;
use node::tls::CertificateAuthority;
use node_feed::Fact;

use super::{OperationError, Operations};
use crate::authority_writer::AuthorityError;
use crate::server_certificate::ServerCertificate;

/// How the certificates stand. Times are in ms since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CertificatesStand {
    /// When the authority that signs ends.
    pub authority_ends_ms: u64,
    /// When the one before ends, if its certificates are still accepted.
    pub former_ends_ms: Option<u64>,
    /// When the one that the port makes itself ends, if the port is open.
    pub server_ends_ms: Option<u64>,
    /// When the one of a public authority ends, if there is one.
    pub public_ends_ms: Option<u64>,
}

impl Operations {
    /// How the certificates stand.
    ///
    /// # Errors
    /// [`OperationError::Certificates`] if one cannot be read.
    pub fn certificates_stand(&self) -> Result<CertificatesStand, OperationError> {
        let (certificates, server) = (&self.parts.certificates, self.parts.server.get());
        let authority_ends_ms = certificates.issuer().not_after_ms();
        Ok(CertificatesStand {
            authority_ends_ms: authority_ends_ms.map_err(crate::CertificatesError::from)?,
            former_ends_ms: certificates.former_ends_ms()?,
            server_ends_ms: server.map(|it| it.not_after_ms()),
            public_ends_ms: server.and_then(|it| it.public_ends_ms()),
        })
    }

    /// Signs certificates with `next` from now on. Nodes learn of it from the record of access and get
    /// a certificate of it when they next connect; those that they have stay good until
    /// [`Operations::retire_authority`]. Asked again for the same one it changes nothing.
    ///
    /// # Errors
    /// [`OperationError`]; the authority before signs on then, but for
    /// [`OperationError::Authority`] after it was replaced here: asked again, the rest is done.
    pub fn replace_authority(&self, next: CertificateAuthority) -> Result<(), OperationError> {
        // The record of access has to name it, so what cannot be named is not begun.
        if !self.parts.authority.may_write()? {
            return Err(AuthorityError::ReadOnly.into());
        }
        self.parts.certificates.replace(next)?;
        self.show_certificates();
        if let Some(fact) = self.unnamed_authority() {
            self.parts.authority.write(&[fact])?;
            self.note(Event::AuthorityReplaced, None, String::new())?;
        }
        Ok(())
    }

    /// Accepts certificates of the authority before no longer; says whether any was. A node that still
    /// has one is turned away once, and gets another with its identity key.
    ///
    /// # Errors
    /// [`OperationError::Certificates`].
    pub fn retire_authority(&self) -> Result<bool, OperationError> {
        let retired = self.parts.certificates.retire()?;
        self.show_certificates();
        if retired {
            self.note(Event::AuthorityRetired, None, String::new())?;
        }
        Ok(retired)
    }

    /// The authority that signs, if the record of access does not name it.
    pub(super) fn unnamed_authority(&self) -> Option<Fact> {
        let authority = self.parts.certificates.named();
        let log = self.parts.node.authority();
        let known = log.certificates() == Some(&authority);
        (!known).then_some(Fact::Certificates { authority })
    }

    /// The port is open from now on.
    pub(crate) fn set_server(&self, server: std::sync::Arc<ServerCertificate>) {
        let _first = self.parts.server.set(server);
    }

    fn show_certificates(&self) {
        let Some(server) = self.parts.server.get() else {
            return;
        };
        if let Err(error) = server.renew(now_ms()) {
            // Nodes find out by other means who it is, so the one that is shown does.
            tracing::error!(%error, "the server's certificate cannot be made anew");
        }
        server.tell(&self.parts.node);
    }
}
