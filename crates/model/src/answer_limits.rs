//! The limits of an answer on its whole way, from the vendor's bytes to the text that a model gets: bytes, values,
//! depth, parts, and what may be worked on where. In one place, so that one can be seen beside the others; each
//! stage takes its own from here. Bounds of a single step, such as pages of a listing or open elements of HTML, are
//! with that step.
//!
//! | stage | bounded by |
//! |---|---|
//! | the body, or all pages of a listing together | [`BYTES`]; more is an error, or ends the listing |
//! | its JSON | [`DEPTH`], [`VALUES`]; more is an error that says so |
//! | its parts, if it has several | [`PARTS`], [`RESULT_BYTES`] for all of them together |
//! | rich text (ADF) in it | [`DOCUMENT_DEPTH`], [`DOCUMENT_NODES`], [`DOCUMENT_BYTES`] for each document, [`BYTES`] for all |
//! | its work | what exceeds [`INLINE_BYTES`] never runs on the thread that serves |
//! | the names around it | [`FIELDS`], [`UNTRUSTED_NAMES`], [`OMITTED_NAMES`], [`NAME_CHARACTERS`], [`LIST_BYTES`], [`NOTE_CHARACTERS`] |
//! | the text of one result | [`RESULT_BYTES`], [`RESULT_LINE`]; the rest by a cursor, in pieces of [`PIECE_WEIGHT`] |

/// The largest body that is read into memory, in bytes. Gathering the pages of a listing stops there too.
pub const BYTES: usize = 16 * 1024 * 1024;
/// How much of a refusal's body is read, in bytes: enough for a message, not for a page of HTML.
pub const REFUSAL_BYTES: usize = 64 * 1024;
/// How much of a refusal's body is returned, in characters.
pub const REFUSAL_CHARACTERS: usize = 2_000;

/// How deep lists and objects may be nested. With what is written around an answer it stays below 128, where many
/// readers of JSON give up.
pub const DEPTH: usize = 124;
/// How many values an answer may hold, names not counted. Each takes some fifty bytes while it is worked on.
pub const VALUES: usize = 2_000_000;
/// How many parts of one answer are read.
pub const PARTS: usize = 50;

/// Answers of more bytes are worked on off the thread that serves: at the slowest step, some 5 MB a second in an
/// unoptimised build, fewer take less than 20 ms.
pub const INLINE_BYTES: usize = 50_000;

/// Deeper nodes of a rich text are left out.
pub const DOCUMENT_DEPTH: usize = 40;
/// The most nodes of a rich text that are read; the cells of its tables are nodes too, whatever is in them.
pub const DOCUMENT_NODES: usize = 20_000;
/// The most bytes of a rich text that are written, the signs of its layout included.
pub const DOCUMENT_BYTES: usize = 200_000;

/// The most fields that a caller may name.
pub const FIELDS: usize = 300;
/// The most names of untrusted fields; where there are more, any text counts as untrusted.
pub const UNTRUSTED_NAMES: usize = 100;
/// The most names of fields that are listed as left out; the rest is counted.
pub const OMITTED_NAMES: usize = 40;
/// The longest name of a field in a list of them, in characters.
pub const NAME_CHARACTERS: usize = 80;
/// The longest list of fields, in bytes, so that an envelope leaves room for the answer.
pub const LIST_BYTES: usize = 1_500;
/// The longest notes, in characters.
pub const NOTE_CHARACTERS: usize = 1_500;

/// The longest text of a result, in bytes.
pub const RESULT_BYTES: usize = 40_000;
/// The same within a line of JSON, where quotes are escaped again: some clients fail at lines of 64 KB.
pub const RESULT_LINE: usize = 60_000;
/// The room in it for the envelope and its cursor, in bytes. Constant, so that an answer is cut in the same places
/// each time.
pub const ENVELOPE_BYTES: usize = 5_000;
/// The weight of a piece that is cut out of a record; a third of it is at least its length in bytes.
pub const PIECE_WEIGHT: usize = 48_000;
/// The longest piece of a text, in characters.
pub const PIECE_CHARACTERS: usize = 4_000;
