use std::time::Duration;

use hyperfocus::session::ToStage;

use crate::foreign_server::Foreign;
use crate::stage::Stage;

#[test]
fn a_server_in_another_language_sees_a_whole_session() {
    let Some(mut server) = Foreign::start(20) else {
        return;
    };
    let stage = Stage::start(&server.url);
    let status = loop {
        for message in stage.link.drain() {
            if let ToStage::Gift(gift) = message {
                stage.play(&gift);
            }
        }
        if let Some(status) = server.ended() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let account = server.account();
    assert!(status.success(), "{account}");
    assert_eq!(account["ok"], true, "{account}");
    assert_eq!(account["connections"], 2, "{account}");
}
