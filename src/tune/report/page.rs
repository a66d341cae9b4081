//! The report as a page of its own: no scripts, nothing that is fetched.

use std::fmt::Write;

use super::Report;
use super::plot::{STYLE, escaped};
use super::table::{COLUMNS, cells};
use crate::tune::words::rate;

/// The page around the pictures.
const PAGE: &str = "\
*{box-sizing:border-box}\
body{margin:0 auto;max-width:860px;padding:40px 24px 64px;background:var(--ground);\
color:var(--ink);font:16px/1.55 system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif}\
h1{font-size:28px;line-height:1.2;margin:0 0 6px}h2{font-size:18px;margin:44px 0 10px}\
p{margin:0 0 12px}.source{color:var(--soft);overflow-wrap:anywhere}\
.advice{display:flex;gap:22px;align-items:center;margin:28px 0 8px;padding:20px 24px;\
background:var(--band);border-radius:12px}\
.advice strong{font-size:46px;line-height:1;color:var(--accent);font-variant-numeric:tabular-nums}\
.advice p{margin:0}.advice code{font-size:14px}\
.wide{overflow-x:auto}svg.plot{display:block;width:100%;height:auto;min-width:600px}\
table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}\
caption{text-align:left;color:var(--soft);padding-bottom:8px}\
th,td{padding:7px 10px;text-align:right;border-bottom:1px solid var(--rule);white-space:nowrap}\
thead th{color:var(--soft);font-weight:600;white-space:normal;vertical-align:bottom}\
tr.chosen{background:var(--band)}tr.chosen th{color:var(--accent)}\
ul,dl{margin:0;padding-left:20px}li,dd{margin-bottom:6px}dl{padding:0}dt{font-weight:600}\
dd{margin-left:0;color:var(--soft)}\
@media(max-width:560px){.advice{flex-direction:column;align-items:flex-start;gap:10px}}\
@media print{body{max-width:none;padding:0}}";

/// What the figures mean.
const WORDS: [(&str, &str); 6] = [
    (
        "Answered",
        "Share of the gifts that are seen within 3 s and not folded with others. Recommended is \
         the slowest rate that answers nearly as many as any, and where that is not nearly all, \
         has hardly longer waits than others that do: a slower rate is a calmer screen.",
    ),
    (
        "Wait",
        "From a gift's arrival until it is first seen, by itself, in its streak or in a bundle. \
         Half of the gifts wait at most p50, 95 % at most p95.",
    ),
    (
        "Folded",
        "Share of the gifts that shared an act with others, of the same sender or of many, \
         because too much was waiting.",
    ),
    (
        "Refused",
        "Share of the gifts that found the queue full of dearer ones and were never seen.",
    ),
    (
        "Screen covered",
        "Share of the time with something on screen, from the beginning until the last act has \
         left.",
    ),
    (
        "Busiest minute",
        "The sixty seconds in which most gifts came.",
    ),
];

impl Report {
    /// The report as an HTML page by itself, light or dark as the reader's system is.
    pub fn html(&self) -> String {
        let mut page = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
             style-src 'unsafe-inline'\">\n\
             <title>What rate suits: {source}</title>\n<style>{STYLE}{PAGE}</style>\n</head>\n\
             <body>\n<h1>What rate suits</h1>\n<p class=\"source\">{source}: {summary}.</p>\n",
            source = escaped(&self.source),
            summary = escaped(&self.summary()),
        );
        if let Some(advice) = &self.advice {
            let _ = writeln!(
                page,
                "<section class=\"advice\" aria-label=\"Recommendation\"><strong>{}</strong>\
                 <p><code>maxGiftsPerSecond</code><br>{}</p></section>",
                rate(advice.rate),
                escaped(&advice.reason)
            );
        }
        let _ = write!(
            page,
            "<h2>Rate by rate</h2>\n<div class=\"wide\">{}</div>\n",
            self.by_rate(None)
        );
        if let Some(over_time) = self.over_time() {
            let _ = write!(
                page,
                "<h2>Over time</h2>\n<div class=\"wide\">{over_time}</div>\n"
            );
        }
        self.write_table(&mut page);
        self.write_words(&mut page);
        page += "</body>\n</html>\n";
        page
    }

    fn write_table(&self, page: &mut String) {
        *page += "<h2>In figures</h2>\n<div class=\"wide\"><table>\n<caption>What each rate does to \
                  the same gifts; rates are acts that may start a second.</caption>\n<thead><tr>";
        for column in COLUMNS {
            let _ = write!(page, "<th scope=\"col\">{column}</th>");
        }
        *page += "</tr></thead>\n<tbody>\n";
        for (index, judged) in self.judged.iter().enumerate() {
            let is_chosen = self.chosen() == Some(index);
            *page += if is_chosen {
                "<tr class=\"chosen\">"
            } else {
                "<tr>"
            };
            let [rate, figures @ ..] = cells(judged);
            let mark = if is_chosen { "recommended: " } else { "" };
            let _ = write!(page, "<th scope=\"row\">{mark}{rate}</th>");
            for figure in figures {
                let _ = write!(page, "<td>{figure}</td>");
            }
            *page += "</tr>\n";
        }
        *page += "</tbody>\n</table></div>\n";
    }

    fn write_words(&self, page: &mut String) {
        *page += "<h2>What the words mean</h2>\n<dl>\n";
        for (word, meaning) in WORDS {
            let _ = writeln!(page, "<dt>{word}</dt><dd>{meaning}</dd>");
        }
        *page += "</dl>\n";
        if !self.notes.is_empty() {
            *page += "<h2>To be known</h2>\n<ul>\n";
            for note in &self.notes {
                let _ = writeln!(page, "<li>{}</li>", escaped(note));
            }
            *page += "</ul>\n";
        }
    }
}
