//! Notifications on the desktop (org.freedesktop.Notifications).

use std::collections::HashMap;

use zbus::Connection;
use zbus::zvariant::Value;

const SERVICE: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";
const NAME: &str = "hyperfocus";
const TITLE: &str = "Hyperfocus overlay";
/// The time that the desktop thinks right.
const ITS_TIME: i32 = -1;

/// What this program tells the user; the newest takes the place of the one
/// before.
#[derive(Default)]
pub(super) struct Notices {
    connection: Option<Connection>,
    /// The desktop's number of the last one, 0 for none.
    last: u32,
}

impl Notices {
    /// # Errors
    /// When there is no session bus, or nothing on it shows notifications.
    pub async fn show(&mut self, text: &str) -> zbus::Result<()> {
        let connection = match &self.connection {
            Some(connection) => connection,
            None => self.connection.insert(Connection::session().await?),
        };
        let call = (Some(SERVICE), PATH, Some(SERVICE));
        let has = connection
            .call_method(call.0, call.1, call.2, "GetCapabilities", &())
            .await?;
        let has: Vec<String> = has.body().deserialize()?;
        let text = if has.iter().any(|one| one == "body-markup") {
            escaped(text)
        } else {
            text.to_owned()
        };
        let hints = HashMap::<&str, Value<'_>>::new();
        let actions: &[&str] = &[];
        let notice = (NAME, self.last, "", TITLE, text, actions, hints, ITS_TIME);
        let shown = connection
            .call_method(call.0, call.1, call.2, "Notify", &notice)
            .await?;
        self.last = shown.body().deserialize()?;
        Ok(())
    }
}

/// What a backend says may look like the markup that some desktops read.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_backend_says_is_no_markup() {
        assert_eq!(escaped("<b>a & b</b>"), "&lt;b&gt;a &amp; b&lt;/b&gt;");
    }
}
