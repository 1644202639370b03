//! What Asterisk escapes, and what has to be escaped for it. Most of its values are neither.

/// A value that stands among others in one header, as in `Variable` of Originate: without this Asterisk would split it at
/// commas, and take quotes and backslashes out of it.
pub fn escape_argument(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for character in value.chars() {
        if matches!(character, '\\' | '"' | ',' | '(' | ')' | '[' | ']') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// A value that Asterisk has escaped as C does, as it was: that of `VarSet` and of `ChanVariable`.
pub fn unescape_value(value: &str) -> String {
    let mut plain = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        plain.push(match character {
            '\\' => match characters.clone().next().and_then(meant_by) {
                Some(meant) => {
                    characters.next();
                    meant
                }
                None => character, // no escape of Asterisk's
            },
            _ => character,
        });
    }
    plain
}

fn meant_by(letter: char) -> Option<char> {
    Some(match letter {
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        '\\' | '\'' | '"' | '?' => letter,
        _ => return None,
    })
}
