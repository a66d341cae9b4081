use hyperfocus::relay::Role;
use serde_json::json;

use crate::foreign_viewer::Viewer;
use crate::guest::Guest;
use crate::house::{House, until};

#[test]
fn a_viewer_in_another_language_sees_a_whole_session() {
    let house = House::new();
    let request = house.request(Role::Host, "PATCH", "/v1/streams/main/config");
    let quick = json!({ "pingInterval": 1000 });
    assert_eq!(request.json(&quick).send().status, 200);
    let request = house.request(Role::Ingest, "PUT", "/v1/streams/main/status");
    let status = json!({ "isLive": true, "viewerCount": 3 });
    assert_eq!(request.json(&status).send().status, 204);
    let ids: Vec<String> = (0..50).map(|n| format!("gift-{n}")).collect();
    let token = house.token(Role::Viewer);
    let Some(mut viewer) = Viewer::start(&house.url(), &token, ids.len()) else {
        return;
    };
    let host = house.token(Role::Host);
    let mut host = Guest::join(house.address(), &host, "h", "host");
    host.next_of("stream:status");
    until("it has joined", || house.figure("viewers") == 1);
    for id in &ids {
        house.give(id);
        assert_eq!(&host.gift(), id);
        host.ack(id, true, None);
    }
    let account = viewer.account();
    assert_eq!(account["problems"], json!([]), "{account}");
    assert_eq!(account["gifts"], json!(ids));
    assert_eq!(account["statuses"], 1);
    assert!(account["pings"].as_u64().unwrap() >= 2, "{account}");
    until("the hosts' acks count", || house.listed("rendered") == ids);
}
