//! A reader of a stream's events.

use std::io::{BufRead, BufReader, Lines};
use std::net::TcpStream;

use hyperfocus::relay::Role;
use serde_json::Value;

use crate::house::House;

pub struct Events(Lines<BufReader<TcpStream>>);

impl Events {
    /// Those of the stream "main". Once this returns, nothing is missed.
    pub fn of(house: &House) -> Self {
        let request = house.request(Role::Host, "GET", "/v1/streams/main/events");
        let mut lines = BufReader::new(request.open().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().is_empty()), "it is answered");
        Self(lines)
    }

    /// The next event of that name; others are skipped.
    pub fn next(&mut self, name: &str) -> Value {
        loop {
            let line = self.0.next().expect("more events").unwrap();
            if line == format!("event: {name}") {
                let data = self.0.next().expect("its data").unwrap();
                return serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
            }
        }
    }
}
