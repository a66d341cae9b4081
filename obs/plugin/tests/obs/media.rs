//! OBS without our source: its own Media Source reads what the engine serves.

use std::fs;
use std::process::{Command, Stdio};

use super::colours::{GREY, decode, encode};
use super::engine::{has_a_gift, is_nothing, program};
use super::harness::{Home, Item, Picture, Process, Scene, free_port, until};

const SOURCE: &str = "Media";

fn start(home: &Home, port: u16) -> Process {
    let log = fs::File::create(home.path().join("engine.log")).unwrap();
    Process::start(
        "the engine",
        Command::new(program())
            .args(["demo", "--no-sheet", "--mute", "--size", "320x180"])
            .args(["--seconds", "120", "--fps", "30"])
            .arg(format!("--output=nut://127.0.0.1:{port}"))
            .env_clear()
            .envs(home.environment())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log),
    )
}

fn signal(process: &Process, name: &str) {
    let sent = Command::new("kill")
        .args(["-s", name, &process.pid().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

#[test]
fn a_media_source_shows_gifts_and_finds_an_engine_again() {
    let Some(home) = Home::new() else { return };
    let port = free_port();
    let engine = start(&home, port);
    let item = || Item::reading(SOURCE, port);
    let mut obs = home.start(&[
        Scene::new("Bare", [item()]),
        Scene::new("Over grey", [item()]).over_grey(),
    ]);
    obs.wait_for(SOURCE, "a gift plays", has_a_gift);

    // The engine stands still, and with it the picture: once what was on its way has
    // come, nothing changes while both are looked at.
    signal(&engine, "STOP");
    let (still, grey) = until("the last frame has come", || {
        let still = obs.look(SOURCE);
        let grey = obs.look("Over grey");
        (obs.look(SOURCE) == still).then_some((still, grey))
    });
    assert!(has_a_gift(&still), "the picture is kept: {still:?}");
    compare(&still, &grey);
    signal(&engine, "CONT");
    obs.wait_for(SOURCE, "it goes on", |now| *now != still);

    engine.kill();
    obs.wait_for("Bare", "a dead engine's gifts are gone", is_nothing);
    let engine = start(obs.home(), port);
    obs.wait_for("Bare", "another engine's gifts are shown", has_a_gift);
    engine.kill();
}

/// `over` is `bare`, of straight alpha, laid over grey in linear light; and some
/// of it lets the grey through.
fn compare(bare: &Picture, over: &Picture) {
    let (width, height) = bare.size();
    let mut translucent = 0;
    for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
        let pixel = bare.at(x, y);
        translucent += usize::from((32..224).contains(&pixel[3]));
        let alpha = f64::from(pixel[3]) / 255.0;
        let seen = over.at(x, y);
        for channel in 0..3 {
            let colour = decode(f64::from(pixel[channel]) / 255.0);
            let expected = encode(colour * alpha + decode(GREY) * (1.0 - alpha)) * 255.0;
            let difference = (f64::from(seen[channel]) - expected).abs();
            assert!(
                difference <= 3.0,
                "{seen:?} where {expected:?} is right for {pixel:?} at {x}, {y}"
            );
        }
    }
    assert!(translucent > 200, "{translucent}");
}
