use super::*;
use crate::model::Sender;

fn screen(names: &[&str], words: &[&str], parts: &[&str]) -> Screen {
    let list = |entries: &[&str]| entries.iter().map(|entry| (*entry).to_owned()).collect();
    Screen::new(&Blocked {
        names: list(names),
        words: list(words),
        parts: list(parts),
        ..Blocked::default()
    })
}

#[test]
fn a_name_is_blocked_whole_whatever_its_case_and_accents() {
    let screen = screen(&["Bad Actor"], &[], &[]);
    for name in [
        "Bad Actor",
        "bad actor",
        "BÀD  ÁCTOR",
        "bad_actor",
        "badactor",
    ] {
        assert!(screen.blocks(name), "{name}");
    }
    for name in ["Bad", "Actor", "Bad Actors", "Not a Bad Actor"] {
        assert!(!screen.blocks(name), "{name}");
    }
}

#[test]
fn a_word_is_blocked_as_a_word_and_not_within_others() {
    let screen = screen(&[], &["ass"], &[]);
    for name in ["ass", "Big ASS", "kick.ass.99", "a\u{200b}ss", "аss"] {
        assert!(screen.blocks(name), "{name}");
    }
    for name in ["Cassandra", "class", "bass player"] {
        assert!(!screen.blocks(name), "{name}");
    }
}

#[test]
fn a_part_is_blocked_wherever_it_hides() {
    let screen = screen(&[], &[], &["darn"]);
    for name in [
        "xXdarnXx",
        "d.a.r.n",
        "D A R N",
        // Cyrillic а, fullwidth letters, mathematical bold, leet.
        "dаrn",
        "ｄａｒｎ",
        "𝐝𝐚𝐫𝐧",
        "d@rn",
        "da\u{ad}rn",
        // "rn" and "m" look alike.
        "dam",
    ] {
        assert!(screen.blocks(name), "{name}");
    }
    assert!(!screen.blocks("dahlia"));
}

#[test]
fn capital_i_and_small_l_are_one() {
    let screen = screen(&[], &["Idiot"], &[]);
    assert!(screen.blocks("ldiot"));
    assert!(screen.blocks("1d1ot"));
}

#[test]
fn empty_entries_block_nobody() {
    let screen = screen(&["", " "], &["", "--"], &["", "..."]);
    for name in ["Ana", "李雷", "🎉", ""] {
        assert!(!screen.blocks(name), "{name}");
    }
}

#[test]
fn a_blocked_sender_is_someone_and_the_gift_is_the_same() {
    let screen = screen(&[], &["troll"], &[]);
    let sender = Sender {
        avatar_url: Some(Private("https://example.org/a.png".into())),
        ..Sender::named("u1", "A Troll")
    };
    let sent = Gift::one("g1", "rose", sender);
    let mut shown = sent.clone();
    screen.apply(&mut shown);
    assert_eq!(&*shown.sender.name.0, "");
    assert_eq!(shown.sender.avatar_url, None);
    assert_eq!(shown.streak_key(), sent.streak_key());
    assert_eq!(shown.id, sent.id);
}

#[test]
fn names_and_pictures_can_be_hidden_from_all() {
    let hide = |hide_names, hide_avatars| {
        let mut gift = Gift::one(
            "g1",
            "rose",
            Sender {
                avatar_url: Some(Private("https://example.org/a.png".into())),
                ..Sender::named("u1", "Ana")
            },
        );
        let blocked = Blocked {
            hide_names,
            hide_avatars,
            ..Blocked::default()
        };
        Screen::new(&blocked).apply(&mut gift);
        (
            gift.sender.name.0.is_empty(),
            gift.sender.avatar_url.is_none(),
        )
    };
    assert_eq!(hide(true, false), (true, false));
    assert_eq!(hide(false, true), (false, true));
}

#[test]
fn the_longest_lists_are_searched_without_trouble() {
    let parts: Vec<String> = (0..2_000).map(|n| format!("blockedpart{n:05}")).collect();
    let screen = Screen::new(&Blocked {
        parts,
        ..Blocked::default()
    });
    assert!(screen.blocks("so blockedpart01999 it is"));
    assert!(!screen.blocks("so blockedpart it is"));
}

#[test]
fn a_policy_admits_by_type_and_value() {
    let types = |names: &[&str]| names.iter().map(|name| (*name).into()).collect();
    let policy = Policy {
        least_value: 5.0,
        off_types: types(&["rocket"]),
        only_types: types(&["rose", "rocket"]),
        ..Policy::default()
    };
    assert!(policy.admits("rose", 5.0));
    assert!(!policy.admits("rose", 4.9));
    assert!(!policy.admits("rocket", 50.0));
    assert!(!policy.admits("Rocket", 50.0));
    assert!(policy.admits("Rose", 5.0));
    assert!(!policy.admits("lion", 50.0));
    assert!(Policy::default().admits("anything", 0.0));
}
