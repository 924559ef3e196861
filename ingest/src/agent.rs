//! The family of a `userAgent`: the tool and its system, versions dropped. In: what the caller chose
//! to say of itself. Out: a short name that stays when the tool is updated.

use std::borrow::Cow;

/// Longest name of a family; what is beyond is cut off. Unit: bytes.
pub(crate) const FAMILY_BYTES_MAX: usize = 64;

/// Most words of a name that has no version behind it. Unit: words.
const WORDS_MAX: usize = 3;

/// Tools that name what they are made of before themselves.
const TOOLS: [&str; 5] = ["terraform", "opentofu", "pulumi", "ansible", "amazon-ssm-agent"];

/// What stands before the name of a partner's tool.
const PARTNERS: [&str; 2] = ["apn/", "hashicorp/"];

/// Names of products in the user agents of browsers, each before those it claims to be.
const BROWSERS: [(&str, &str); 9] = [
    ("WindowsPowerShell/", "powershell"),
    ("Edg/", "edge"),
    ("OPR/", "opera"),
    ("HeadlessChrome/", "headless-chrome"),
    ("Firefox/", "firefox"),
    ("FxiOS/", "firefox"),
    ("CriOS/", "chrome"),
    ("Chrome/", "chrome"),
    ("Safari/", "safari"),
];

/// Words that name a system. The first [`N_HIDDEN`] are named beside the system that they are like.
const SYSTEMS: [(&str, &str); 13] = [
    ("android", "android"),
    ("iphone", "ios"),
    ("ipad", "ios"),
    ("linux", "linux"),
    ("darwin", "darwin"),
    ("macos", "darwin"),
    ("macintosh", "darwin"),
    ("windows", "windows"),
    ("win32", "windows"),
    ("win64", "windows"),
    ("cros", "chromeos"),
    ("freebsd", "freebsd"),
    ("openbsd", "openbsd"),
];

const N_HIDDEN: usize = 3;

/// The family of a user agent, lower case and at most `FAMILY_BYTES_MAX` long: its tool, and its
/// system where it tells, as in `aws-cli linux`. AWS's services and consoles are what they are called.
/// `other` where nothing names a tool; an empty one has no family and stays empty.
pub fn family(user_agent: &str) -> Cow<'_, str> {
    let text = user_agent.trim_matches(|c: char| c.is_whitespace() || "[]<>\"".contains(c));
    if text.is_empty() {
        return Cow::Borrowed("");
    }
    if is_service(text) {
        return Cow::Borrowed(text);
    }
    if text == "AWS Internal" {
        return Cow::Borrowed(CONSOLE_SERVER);
    }
    let mut name = tool(text);
    if name.is_empty() {
        name.push_str("other");
    }
    let is_console = name.contains("console") || text.contains("aws-internal/");
    if !is_console
        && text.contains(['/', '('])
        && let Some(system) = system(text)
    {
        // Cut before, so that a long name does not hide the system.
        cut(&mut name, FAMILY_BYTES_MAX - SYSTEM_BYTES_MAX);
        name.push(' ');
        name.push_str(system);
    }
    cut(&mut name, FAMILY_BYTES_MAX);
    Cow::Owned(name)
}

/// What AWS's own servers are called, who call `AWS Internal` or `aws-internal/3` as they please.
const CONSOLE_SERVER: &str = "aws-internal";

/// The longest system and the space before it. Unit: bytes.
const SYSTEM_BYTES_MAX: usize = 16;

fn cut(name: &mut String, bytes_max: usize) {
    name.truncate(name.floor_char_boundary(bytes_max));
}

/// `lambda.amazonaws.com`, as it stands.
fn is_service(text: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    text.len() <= FAMILY_BYTES_MAX && text.ends_with(".amazonaws.com") && text.bytes().all(is_plain)
}

fn tool(text: &str) -> String {
    if text.starts_with("Mozilla/") {
        let browser = BROWSERS.iter().find(|(product, _)| text.contains(product));
        return browser.map_or("mozilla", |(_, name)| name).to_owned();
    }
    let products = text.split_whitespace().map(|token| token.split('/').next().unwrap_or(token));
    let mut tools =
        products.filter_map(|product| TOOLS.iter().find(|tool| product.eq_ignore_ascii_case(tool)));
    if let Some(tool) = tools.next() {
        return (*tool).to_owned();
    }
    let mut rest = text;
    while PARTNERS.iter().any(|partner| starts_ignoring_case(rest, partner)) {
        rest = rest.split_once(char::is_whitespace).map_or("", |(_, rest)| rest.trim_start());
    }
    let name = rest.split(['/', '#', ',', '(']).next().unwrap_or_default();
    let mut words = String::new();
    for word in name.split_whitespace().map(clean).filter(|word| !word.is_empty()).take(WORDS_MAX) {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(&word);
    }
    words
}

fn starts_ignoring_case(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// A word of a name, without its version and without ids that are drawn anew for each run.
fn clean(word: &str) -> String {
    let mut name = String::new();
    for part in word.split_inclusive(['-', '_']) {
        let bare = part.trim_end_matches(['-', '_']);
        if is_version(bare) || is_drawn(bare) {
            break;
        }
        let bare = without_version(bare);
        name.extend(bare.chars().filter(|c| c.is_alphanumeric() || *c == '.').map(lower));
        name.extend(part.chars().last().filter(|c| matches!(c, '-' | '_')));
    }
    let end = name.trim_end_matches(['-', '_', '.']).len();
    name.truncate(end);
    name
}

fn lower(c: char) -> char {
    c.to_ascii_lowercase()
}

/// `1.2.3`, `v2`.
fn is_version(part: &str) -> bool {
    part.trim_start_matches(['v', 'V']).starts_with(|c: char| c.is_ascii_digit())
}

/// Hexadecimal digits as in a UUID. Unit of the length: bytes.
fn is_drawn(part: &str) -> bool {
    part.len() >= 4
        && part.bytes().all(|b| b.is_ascii_hexdigit())
        && part.bytes().any(|b| b.is_ascii_digit())
}

/// `python` of `python3.9`; `boto3` is a name.
fn without_version(part: &str) -> &str {
    let stem = part.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let version = part.get(stem.len()..).unwrap_or_default();
    if version.contains('.') { stem } else { part }
}

fn system(text: &str) -> Option<&'static str> {
    let words = || text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| word.len() > 3);
    let named = |known: &[(&str, &'static str)]| {
        let mut found = words().filter_map(|word| {
            known
                .iter()
                .find(|(name, _)| word.eq_ignore_ascii_case(name))
                .map(|(_, system)| *system)
        });
        found.next()
    };
    let (hidden, plain) = SYSTEMS.split_at(N_HIDDEN);
    named(hidden).or_else(|| named(plain))
}

#[cfg(test)]
mod tests;
