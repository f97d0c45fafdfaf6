//! The authenticator that Chromium's own developer tools put into a window: it keeps passkeys as one in a laptop does.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::browser::Browser;

/// One of a window's.
#[derive(Debug)]
pub struct Authenticator {
    id: Value,
}

impl Authenticator {
    /// Puts one into the window whose person is always there, and known to it.
    pub async fn put_into(browser: &Browser) -> Result<Self> {
        let tools = browser.window.cdp();
        tools
            .send_raw("WebAuthn.enable", json!({ "enableUI": false }))
            .await?;
        let options = json!({
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": true,
            "hasUserVerification": true,
            "isUserVerified": true,
            "automaticPresenceSimulation": true,
        });
        let added = tools
            .send_raw(
                "WebAuthn.addVirtualAuthenticator",
                json!({ "options": options }),
            )
            .await?;
        let id = added.get("authenticatorId").cloned();
        Ok(Self {
            id: id.context("the browser named no authenticator")?,
        })
    }

    /// From here on it knows who uses it, or does not, as after a wrong finger.
    pub async fn knows_them(&self, browser: &Browser, is_known: bool) -> Result<()> {
        let wish = json!({ "authenticatorId": self.id, "isUserVerified": is_known });
        let tools = browser.window.cdp();
        tools.send_raw("WebAuthn.setUserVerified", wish).await?;
        Ok(())
    }
}
