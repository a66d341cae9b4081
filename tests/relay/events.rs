//! A reader of a stream's events.

use std::io::{BufRead, BufReader, Lines};
use std::net::TcpStream;

use hyperfocus::relay::Role;
use serde_json::Value;

use crate::house::House;
use crate::http::Request;

/// Where they are.
pub const EVENTS: &str = "/v1/streams/main/events";

pub struct Events(Lines<BufReader<TcpStream>>);

impl Events {
    /// Those of the stream "main". Once this returns, nothing is missed.
    pub fn of(house: &House) -> Self {
        Self::by(house.request(Role::Host, "GET", EVENTS))
    }

    /// Those that a request of one's own asks for.
    pub fn by(request: Request) -> Self {
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

    /// Whether it ends before so many seconds' figures have come.
    pub fn ends_within(self, seconds: usize) -> bool {
        let lines = self.0.map_while(Result::ok);
        let figures = lines.filter(|line| line == "event: figures");
        figures.take(seconds).count() < seconds
    }
}
