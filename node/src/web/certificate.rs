//! The certificate that the pages show: made here for one name, or read from files that somebody
//! else renews.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bip39::Language;

use crate::clock::now_ms;
use crate::config::WebConfig;
use crate::folder::{FolderError, write_private};
use crate::tls::{
    CertificateAuthority, CertificateError, CertificateFiles, CertificateFilesError, Credentials,
    LiveCertificate, Stamp, TlsError,
};

/// How often it is looked whether the files were changed, or it is time for a new certificate.
const LOOK: Duration = Duration::from_secs(3);
/// An authority that ends sooner than this is replaced, so that no certificate outlives it.
const AUTHORITY_LEFT_MS: u64 = 400 * 24 * 60 * 60 * 1_000;
/// Where the key begins in a file that holds it after the certificate.
const KEY_BEGINS: &str = "-----BEGIN PRIVATE KEY-----";
/// How many words tell an authority apart.
const WORDS: usize = 8;

/// Why there is no certificate for the pages.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SiteCertificateError {
    /// The files that the settings name cannot be used.
    #[error(transparent)]
    Files(#[from] CertificateFilesError),
    /// What was made cannot be kept.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A certificate or key cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// Certificate and key do not go together.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// The authority that a node makes for its own pages, which colleagues' devices must trust.
#[derive(Debug, Clone)]
pub struct SiteAuthority {
    authority: CertificateAuthority,
}

impl SiteAuthority {
    /// The authority for the pages that these settings describe.
    ///
    /// # Errors
    /// [`SiteCertificateError`].
    pub fn for_pages(folder: &Path, config: &WebConfig) -> Result<Self, SiteCertificateError> {
        Self::of(folder, host(config))
    }

    /// The authority for the host of `public`, from the node's data folder, made if there is none.
    ///
    /// # Errors
    /// [`SiteCertificateError`].
    fn of(folder: &Path, host: &str) -> Result<Self, SiteCertificateError> {
        let path = folder.join("web-authority.pem");
        let now = now_ms();
        if let Ok(text) = fs::read_to_string(&path).map(zeroize::Zeroizing::new) {
            let noted = text.lines().next().and_then(|line| line.strip_prefix("# "));
            let key = text.find(KEY_BEGINS).unwrap_or(text.len());
            let (certificate, key) = text.split_at(key);
            let authority = CertificateAuthority::from_pem(certificate, key)?;
            let lasts = authority.not_after_ms()? > now + AUTHORITY_LEFT_MS;
            if noted == Some(host) && lasts {
                return Ok(Self { authority });
            }
        }
        let authority = CertificateAuthority::for_site(host, now)?;
        let (certificate, key) = (authority.certificate_pem(), authority.key_pem());
        let text = zeroize::Zeroizing::new(format!("# {host}\n{certificate}{}", *key));
        write_private(&path, text.as_bytes())?;
        Ok(Self { authority })
    }

    /// Its certificate, for colleagues' devices: PEM.
    pub fn certificate_pem(&self) -> String {
        self.authority.certificate_pem()
    }

    /// Words that tell it from any other, to be compared by people.
    pub fn words(&self) -> String {
        let hash = blake3::hash(self.authority.certificate());
        let list = Language::English.word_list();
        let pairs = hash.as_bytes().chunks_exact(2).take(WORDS);
        let words = pairs.map(|pair| {
            let number = pair
                .iter()
                .fold(0, |all, byte| all << 8 | usize::from(*byte));
            list[number % list.len()]
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

/// Where the pages' certificate comes from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Own { folder: PathBuf, host: String },
    Files(CertificateFiles),
}

impl Source {
    /// As the settings say; none if pages are not encrypted here.
    pub(super) fn of(config: &WebConfig, folder: &Path) -> Option<Self> {
        match config.certificate.as_str() {
            "" => None,
            WebConfig::OWN => Some(Self::Own {
                folder: folder.to_owned(),
                host: host(config).to_owned(),
            }),
            file => Some(Self::Files(CertificateFiles::new(file, &config.key))),
        }
    }

    /// Reads it, or makes it.
    pub(super) fn load(&self) -> Result<Credentials, SiteCertificateError> {
        match self {
            Self::Files(files) => Ok(files.read()?),
            Self::Own { folder, host } => {
                let authority = SiteAuthority::of(folder, host)?;
                let path = Self::own_in(folder);
                let by = blake3::hash(authority.authority.certificate()).to_hex();
                let head = format!("# {by}\n");
                let kept = fs::read_to_string(&path).map(zeroize::Zeroizing::new);
                if let Ok(text) = kept
                    && text.starts_with(&head)
                    && let Ok(kept) = Credentials::from_pem(&text, &text)
                    && !kept.renewal_due(now_ms())
                {
                    return Ok(kept);
                }
                let names = [host.clone()];
                let made = authority.authority.issue_server(&names, now_ms())?;
                let (chain, key) = (made.chain_pem(), made.key_pem());
                let text = zeroize::Zeroizing::new(format!("{head}{chain}{}", *key));
                write_private(&path, text.as_bytes())?;
                Ok(made)
            }
        }
    }

    /// What changes when it is to be read again.
    fn stamp(&self) -> Stamp {
        match self {
            Self::Files(files) => files.stamp(),
            Self::Own { folder, .. } => CertificateFiles::in_one(Self::own_in(folder)).stamp(),
        }
    }

    /// Where the certificate that was made here is kept, with its key.
    fn own_in(folder: &Path) -> PathBuf {
        folder.join("web-certificate.pem")
    }

    fn is_due(&self, shown: &Credentials) -> bool {
        matches!(self, Self::Own { .. }) && shown.renewal_due(now_ms())
    }
}

/// The host in `public`, without its port.
fn host(config: &WebConfig) -> &str {
    let named = config.public_host().unwrap_or_default();
    match named.strip_prefix('[').and_then(|it| it.split_once(']')) {
        Some((address, _)) => address,
        None => named.rsplit_once(':').map_or(named, |(host, _)| host),
    }
}

/// Shows the newest certificate until the pages stop. Where a new one cannot be used, the old one
/// stays and the log says why.
pub(super) async fn keep(source: Source, mut shown: Credentials, live: Arc<LiveCertificate>) {
    let mut stamp = source.stamp();
    loop {
        tokio::time::sleep(LOOK).await;
        let now = source.stamp();
        if now == stamp && !source.is_due(&shown) {
            continue;
        }
        let from = source.clone();
        let loaded = tokio::task::spawn_blocking(move || from.load()).await;
        let replaced = match loaded {
            Ok(Ok(loaded)) => live.replace(&loaded).map(|()| loaded).map_err(Into::into),
            Ok(Err(error)) => Err(error),
            Err(_) => return,
        };
        match replaced {
            Ok(loaded) => {
                tracing::info!("the pages show a new certificate");
                shown = loaded;
                stamp = source.stamp();
            }
            // While two files are being replaced they may not fit for a moment.
            Err(error) => {
                if stamp != now {
                    tracing::warn!(%error, "the pages' new certificate cannot be used");
                }
                stamp = now;
            }
        }
    }
}
