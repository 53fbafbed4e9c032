//! HTML of mails and of attackers → Markdown.

use super::*;

#[test]
fn mails_become_markdown() {
    for (html, expected) in [
        ("<p>Hello <b>world</b>,</p><p>second&nbsp;line<br>third</p>", "Hello **world**,\n\nsecond line\nthird"),
        ("<h2>Title</h2><div>one</div><div>two</div>", "## Title\n\none\ntwo"),
        ("<ul><li>a<li>b<ol><li>c</ol></ul>end", "- a\n- b\n  1. c\n\nend"),
        ("<blockquote><p>quoted</p><p>twice</p></blockquote>mine", "> quoted\n>\n> twice\n\nmine"),
        ("<pre>a\n\n  b</pre>x", "```\na\n\n  b\n```\n\nx"),
        (
            "<a href='https://e.example/a b'>text</a> and <a href=\"https://e.example/\">https://e.example/</a>",
            "[text](https://e.example/a%20b) and https://e.example/",
        ),
        ("<a href=x></a>1<a>2</a>", "12"),
        ("<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>", "a | b\n1 | 2"),
        (
            "<img src='https://e.example/p.png' alt='A [chart]'> <img src=cid:1 alt=x><img src=p width=1>",
            "![A  chart](https://e.example/p.png) [image: x]",
        ),
        ("a < b &amp; c &lt;tag&gt; <code>x</code> <i> y </i>", "a < b & c <tag> `x` *y*"),
        ("<b></b><i><b>x</b></i>", "***x***"),
    ] {
        assert_eq!(markdown(html), expected, "{html}");
    }
}

#[test]
fn hidden_elements_are_left_out() {
    for html in [
        "seen<!-- comment -->",
        "<script>alert(1)</script>seen",
        "<style>p{}</style>seen<title>t</title>",
        "<div style='DISPLAY : none'>no<p>no</div>seen",
        "<span style=\"font-size:0px;color:red\">no</span>seen",
        "<span style='display/* */:none !important'>no</span>seen",
        "<p hidden>no<p>seen",
        "<div style=\"mso-hide:all\"><table><tr><td>no</table></div>seen",
        "seen<script>never closed",
        "<span style='opacity:0'>no<br>no</span>seen",
    ] {
        assert_eq!(markdown(html), "seen", "{html}");
    }
    assert_eq!(markdown("<p style='font-size:0.9em;opacity:0.5'>seen</p>"), "seen");
    // A comment ends the name: this is no property.
    assert_eq!(markdown("<p style='dis/**/play:none'>seen</p>"), "seen");
}

#[test]
fn only_html_is_recognized() {
    for html in ["<p>x</p>", "a<br/>b", "x</DIV>", "<span class=a>"] {
        assert!(is_html(html), "{html}");
    }
    for text in ["a < b", "<john@example.com>", "<String>", "x &lt;p&gt; y", "<https://e.example>", "<"] {
        assert!(!is_html(text), "{text}");
    }
}

#[test]
fn hostile_html_is_bounded() {
    for unit in [
        "<div>",
        "<blockquote>x",
        "<ul><li>x",
        "<b>x",
        "<a href=x>y",
        "<p hidden>",
        "<span hidden></p>",
        "<td>x",
        "<h1>",
        "<pre>\n",
        "<",
        "&",
        "<a b=",
        "</p>",
        "<b><i>",
    ] {
        let html = unit.repeat(1_000_000 / unit.len());
        let started = std::time::Instant::now();
        let out = markdown(&html);
        assert!(out.len() <= html.len() * 8 + 1_000, "{unit}: {}", out.len());
        assert!(started.elapsed().as_secs() < 20, "{unit}: {:?}", started.elapsed());
    }
}
