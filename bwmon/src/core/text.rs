//! Text of others: a device chooses its own name, and a receiver what it answers.

/// Whether a character only shows itself: it is no control character (escape sequences begin with
/// one, of C0 or of C1), no separator that breaks lines, and none that only steers the layout or
/// hides.
pub fn is_harmless(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{00ad}'                  // soft hyphen
            | '\u{061c}'                // bidi mark
            | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' // blank fillers
            | '\u{180e}'                // vowel separator without width
            | '\u{200b}' | '\u{200e}' | '\u{200f}' // zero-width space, bidi marks
            | '\u{2028}'..='\u{202e}'   // line and paragraph separators, bidi embeddings
            | '\u{2060}'..='\u{206f}'   // invisible operators, bidi isolates
            | '\u{feff}'                // byte-order mark
            | '\u{fff9}'..='\u{fffb}'   // interlinear annotation
            | '\u{e0000}'..='\u{e0fff}' // tags, variation selectors without glyphs
        )
}
