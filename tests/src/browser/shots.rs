//! Pictures of pages, kept for people to look at.

use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use serde_json::json;

use super::Browser;

const WIDE: (u32, u32) = (1280, 900);
const NARROW: (u32, u32) = (390, 844);

impl Browser {
    /// Keeps a picture of the whole page at 1280 and one at 390 pixels wide, in
    /// `target/screenshots/<test>/<number>-<name>-<width>.png`. Returns the first one's path.
    ///
    /// # Panics
    /// As every method does, when the picture cannot be taken or kept.
    pub async fn screenshot(&self, name: &str) -> PathBuf {
        let number = self.shots.get() + 1;
        self.shots.set(number);
        let folder = folder(&self.test);
        std::fs::create_dir_all(&folder).expect("a folder for pictures");
        for size in [WIDE, NARROW] {
            self.resize(size).await;
            let parameters = json!({ "format": "png", "captureBeyondViewport": true });
            let shot = self.driver.command("Page.captureScreenshot", parameters);
            let shot = shot.await;
            let bytes = shot["data"].as_str().unwrap_or_default();
            let bytes = BASE64.decode(bytes.as_bytes()).expect("a picture");
            let file = folder.join(format!("{number:02}-{name}-{}.png", size.0));
            std::fs::write(file, bytes).expect("a picture is kept");
        }
        self.resize(WIDE).await;
        folder.join(format!("{number:02}-{name}-{}.png", WIDE.0))
    }

    /// Makes the window as wide as a telephone: 390 pixels.
    pub async fn narrow(&self) {
        self.resize(NARROW).await;
    }

    /// Makes the window as wide as a desk's: 1280 pixels.
    pub async fn wide(&self) {
        self.resize(WIDE).await;
    }

    async fn resize(&self, (width, height): (u32, u32)) {
        let parameters = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
        });
        let name = "Emulation.setDeviceMetricsOverride";
        self.driver.command(name, parameters).await;
    }
}

/// Deletes the pictures of an earlier run.
pub(super) fn clear(test: &str) {
    let _none = std::fs::remove_dir_all(folder(test));
}

fn folder(test: &str) -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let workspace = workspace.expect("tests lies in the workspace");
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| workspace.join("target"));
    target.join("screenshots").join(test)
}
