//! Which gift an event becomes: by the rules of the configuration, then by
//! ours. What no rule names keeps its own name.

use std::sync::LazyLock;

use crate::config::Rule;

/// What holds unless the configuration says otherwise: events by their kind
/// and what they are worth, TikTok's best-known gifts by their names.
const OURS: &[(&str, &str)] = &[
    ("cheer", "coins"),
    ("cheer:100..", "money"),
    ("cheer:1000..", "diamond"),
    ("cheer:5000..", "galaxy"),
    ("cheer:10000..", "universe"),
    ("sub", "heart"),
    ("sub:2", "diamond"),
    ("sub:3", "crown"),
    ("resub", "heart"),
    ("resub:2", "diamond"),
    ("resub:3", "crown"),
    ("gift_sub", "confetti"),
    ("gift_sub:10..", "fireworks"),
    ("gift_sub:50..", "universe"),
    ("super_chat", "money"),
    ("super_sticker", "coins"),
    ("membership", "heart"),
    ("gift_membership", "confetti"),
    ("gift_membership:10..", "fireworks"),
    ("kick_sub", "heart"),
    ("kick_gift_sub", "confetti"),
    ("kick_gift_sub:10..", "fireworks"),
    ("kicks", "coins"),
    ("kicks:100..", "money"),
    ("kicks:1000..", "diamond"),
    ("kicks:10000..", "universe"),
    ("airplane", "airplane"),
    ("confetti", "confetti"),
    ("crown", "crown"),
    ("diamond", "diamond"),
    ("fireworks", "fireworks"),
    ("galaxy", "galaxy"),
    ("heart", "heart"),
    ("heart me", "heart"),
    ("hand hearts", "heart"),
    ("lion", "lion"),
    ("love you", "love"),
    ("mermaid", "mermaid"),
    ("mishka bear", "heart"),
    ("money gun", "money"),
    ("planet", "planet"),
    ("private jet", "airplane"),
    ("rocket", "rocket"),
    ("rose", "rose"),
    ("tiktok universe", "universe"),
    ("universe", "universe"),
];

static OUR_RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let rules = OURS.iter().map(|(key, gift)| Rule::read(key, gift));
    in_order(
        rules
            .map(|rule| rule.expect("ours are well formed"))
            .collect(),
    )
});

/// The rules of one source.
pub(super) struct Rules(Vec<Rule>);

impl Rules {
    pub fn new(rules: Vec<Rule>) -> Self {
        Self(in_order(rules))
    }

    /// The rule for an event. The gift's own name goes before the event's kind,
    /// the narrower range before the wider, the configuration before what is
    /// ours.
    pub fn rule_for(&self, kind: &str, name: Option<&str>, amount: f64) -> Option<&Rule> {
        let name = name.map(own_name);
        [&self.0, &*OUR_RULES].into_iter().find_map(|rules| {
            let named = name
                .as_deref()
                .and_then(|name| by_name(rules, name, amount));
            named.or_else(|| by_word(rules, kind, amount))
        })
    }

    /// The configuration's rule for what is a gift already.
    pub fn own_rule_for(&self, gift_type: &str, amount: f64) -> Option<&Rule> {
        by_name(&self.0, &own_name(gift_type), amount)
    }
}

fn own_name(name: &str) -> String {
    name.trim().to_lowercase()
}

/// A name that has a colon and digits itself is not taken for one with a range.
fn by_name<'a>(rules: &'a [Rule], name: &str, amount: f64) -> Option<&'a Rule> {
    let whole = rules
        .iter()
        .find(|rule| rule.whole.as_deref() == Some(name));
    whole.or_else(|| by_word(rules, name, amount))
}

fn by_word<'a>(rules: &'a [Rule], word: &str, amount: f64) -> Option<&'a Rule> {
    let mut rules = rules.iter();
    rules.find(|rule| rule.name == word && holds(rule, amount))
}

fn holds(rule: &Rule, amount: f64) -> bool {
    rule.range
        .is_none_or(|(low, high)| (low..=high).contains(&amount))
}

/// Narrow ranges before wide ones; of two that have no end, the later; no range
/// at all comes last.
fn in_order(mut rules: Vec<Rule>) -> Vec<Rule> {
    let key = |rule: &Rule| match rule.range {
        Some((low, high)) => (high - low, -low),
        None => (f64::INFINITY, f64::INFINITY),
    };
    rules.sort_by(|a, b| {
        let ((a_width, a_low), (b_width, b_low)) = (key(a), key(b));
        a_width.total_cmp(&b_width).then(a_low.total_cmp(&b_low))
    });
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(pairs: &[(&str, &str)]) -> Rules {
        let rules = pairs.iter().map(|(key, gift)| Rule::read(key, gift));
        Rules::new(rules.map(Result::unwrap).collect())
    }

    fn gift<'a>(rules: &'a Rules, kind: &str, name: Option<&str>, amount: f64) -> Option<&'a str> {
        let rule = rules.rule_for(kind, name, amount);
        rule.map(|rule| &*rule.gift)
    }

    #[test]
    fn without_rules_the_known_events_and_gifts_have_theirs() {
        let none = rules(&[]);
        for (kind, name, amount, expected) in [
            ("cheer", None, 1.0, Some("coins")),
            ("cheer", None, 99.0, Some("coins")),
            ("cheer", None, 100.0, Some("money")),
            ("cheer", None, 25_000.0, Some("universe")),
            ("sub", None, 1.0, Some("heart")),
            ("sub", None, 3.0, Some("crown")),
            ("gift", Some("Rose"), 1.0, Some("rose")),
            ("gift", Some("TikTok Universe"), 44_999.0, Some("universe")),
            ("gift", Some("Finger Heart"), 5.0, None),
            ("reward", Some("Hydrate"), 300.0, None),
        ] {
            assert_eq!(
                gift(&none, kind, name, amount),
                expected,
                "{kind} {name:?} {amount}"
            );
        }
    }

    #[test]
    fn names_go_before_kinds_narrow_before_wide_and_ours_last() {
        let own = rules(&[
            ("gift", "confetti"),
            ("gift:100..", "rocket"),
            ("gift:150..200", "lion"),
            ("ROSE", "crown"),
            ("cheer", "love"),
        ]);
        assert_eq!(gift(&own, "gift", Some("Rose"), 150.0), Some("crown"));
        assert_eq!(gift(&own, "gift", Some("Cap"), 150.0), Some("lion"));
        assert_eq!(gift(&own, "gift", Some("Cap"), 201.0), Some("rocket"));
        assert_eq!(gift(&own, "gift", Some("Galaxy"), 1.0), Some("confetti"));
        assert_eq!(gift(&own, "cheer", None, 10_000.0), Some("love"));
        assert_eq!(gift(&own, "sub", None, 2.0), Some("diamond"));
    }

    #[test]
    fn a_name_with_digits_after_a_colon_is_still_a_name() {
        let own = rules(&[("Timeout 5:00", "lion"), ("Timeout 5", "crown")]);
        let reward = |name, cost| gift(&own, "reward", Some(name), cost);
        assert_eq!(reward("Timeout 5:00", 300.0), Some("lion"));
        assert_eq!(reward("timeout 5", 300.0), Some("crown"));
        // As a range it is for what costs nothing.
        assert_eq!(reward("timeout 5", 0.0), Some("lion"));
        assert_eq!(
            gift(&own, "timeout 5:00", None, 300.0),
            None,
            "a kind is no name"
        );
    }

    #[test]
    fn what_is_a_gift_already_is_left_to_the_configuration() {
        let own = rules(&[("Cheer:100..", "rocket")]);
        let gift = |name, amount| own.own_rule_for(name, amount).map(|rule| &*rule.gift);
        assert_eq!(gift("cheer", 100.0), Some("rocket"));
        assert_eq!(gift("cheer", 99.0), None);
        assert_eq!(gift("rose", 1.0), None);
    }
}
