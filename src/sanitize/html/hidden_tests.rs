//! What a person does not see of a mail is lost; what a person sees of an ordinary one stays.

use super::markdown;

/// Styles of an element that shows nothing.
const HIDING: [&str; 93] = [
    "display:none",
    "DISPLAY : none ! important",
    "\\64 isplay:none",
    "d\\69splay:n\\6f ne",
    "display/**/:/**/none",
    "display:block;display:none",
    "color:red;;;}display:none",
    "visibility:hidden",
    "visibility:collapse",
    "content-visibility:hidden",
    "mso-hide:all",
    "zoom:1%",
    "font-size:0",
    "font-size:1px",
    "font-size:.1em",
    "font-size:2%",
    "font-size:1pt",
    "font-size:calc(1px * 0)",
    "font-size:min(1px, 20px)",
    "font-size:clamp(0px, 1px, 2px)",
    "font:0/0 a",
    "font:italic bold 1px/2 Arial",
    "font:400 0px serif",
    "color:#fff",
    "color:#ffffff",
    "color:#fefefe",
    "color:#FFFFFFFF",
    "color:white",
    "color:WHITE !important",
    "color:rgb(255,255,255)",
    "color:rgb(100% 100% 100%)",
    "color:rgba(255, 255, 255, 1)",
    "color:hsl(0, 0%, 100%)",
    "color:hsl(120deg 50% 100% / 1)",
    "color:hwb(0 100% 0%)",
    "color:transparent",
    "color:rgba(0,0,0,0)",
    "color:rgb(0 0 0 / 1%)",
    "color:#00000000",
    "-webkit-text-fill-color:transparent",
    "-webkit-text-fill-color:#fff",
    "color:#123456;background:#123456",
    "color:navy;background-color:rgb(0,0,128)",
    "background:currentColor;color:#777",
    "background:linear-gradient(#fff,#fefefe);color:white",
    "background:#fff url() no-repeat;background-image:none;color:#fff",
    "opacity:0",
    "opacity:0%",
    "opacity:.01",
    "filter:opacity(0)",
    "filter:alpha(opacity=50) opacity(0%)",
    "filter:contrast(0)",
    "filter:blur(30px)",
    "position:absolute;left:-9999px",
    "position:fixed;top:-100em",
    "position:relative;right:9999px",
    "position:absolute;left:-200vw",
    "position:absolute;inset:-9999px auto auto auto",
    "margin-left:-9999px",
    "margin:0 0 0 -999em",
    "margin-top:-5000px",
    "text-indent:-9999px",
    "text-indent:-1000%",
    "text-indent:100em",
    "letter-spacing:-1em",
    "letter-spacing:-20px",
    "position:absolute;clip:rect(0 0 0 0)",
    "position:absolute;clip:rect(1px,1px,1px,1px)",
    "clip-path:inset(100%)",
    "clip-path:inset(50%)",
    "-webkit-clip-path:circle(0)",
    "clip-path:polygon(0 0, 0 0, 0 0)",
    "transform:scale(0)",
    "transform:scaleX(0)",
    "transform:scale(1, 0)",
    "transform:rotate(3deg) scale3d(0,0,1)",
    "transform:matrix(0,0,0,0,0,0)",
    "transform:translateX(-9999px)",
    "transform:translate(0, -300vh)",
    "transform:rotateY(90deg)",
    "transform:rotateX(.25turn)",
    "scale:0",
    "translate:-9999px",
    "rotate:y 90deg",
    "height:0;overflow:hidden",
    "width:0;overflow:hidden",
    "max-height:0;overflow:hidden",
    "max-width:1px;overflow-x:hidden",
    "width:1px;height:1px;overflow:hidden;position:absolute",
    "line-height:0;overflow:hidden",
    "max-height:0",
    "overflow:auto;height:0px",
    "height:calc(2px - 2px);overflow:clip",
];

#[test]
fn text_in_a_hiding_style_is_lost() {
    for style in HIDING {
        for html in [
            format!("<div style=\"{style}\">no</div>seen"),
            format!("<div style=\"{style}\"><b>no<i>no</b>no</i></div>seen"),
            format!("<style>.x{{{style}}}</style><div class=x>no</div>seen"),
            format!("<p>seen</p><span class='a X'>no</span><style>@media screen{{div p, .x{{{style}}}}}</style>"),
        ] {
            // A stray bracket ends a rule.
            if !style.contains('}') || !html.contains("<style>") {
                assert_eq!(markdown(&html), "seen", "{html}");
            }
        }
    }
}

#[test]
fn text_is_lost_by_elements_and_attributes_that_hide() {
    for html in [
        "<div hidden>no</div>seen",
        "<div hidden=until-found>no</div>seen",
        "<template>no</template>seen",
        "<noscript>no</noscript>seen",
        "<dialog>no</dialog>seen",
        "<datalist><option>no</datalist>seen",
        "<font color=white>no</font>seen",
        "<div style='letter-spacing:-1em'><p style='text-indent:0'>no</p></div>seen",
        "<div style='text-indent:-9999px'><p style='letter-spacing:0'>no</p></div>seen",
        "<font color=ffffff>no</font>seen",
        "<table bgcolor='#FFFFFF'><tr><td><font color='#fffffe'>no</font></table>seen",
        "<div style='background:#222;color:#eee'>seen<span style='color:#222'>no</span></div>",
        "<div style='color:white'><p>no</div>seen",
        "<div style='visibility:hidden'>no<span style='visibility:visible'>seen</span>no</div>",
        "<div style='font-size:0'>no<span style='font-size:14px'>seen</span></div>",
        "<div style='opacity:.2'><div style='opacity:.2'>no</div></div>seen",
        "<div style='display:none'><p style='display:block'>no</div>seen",
        "<a href='https://e.example' style='color:#fff'>no</a>seen",
        // The font lives on in the next paragraph, as in browsers.
        "<p>seen<font color=white><p>no</font>",
        "<p>seen<font style='display:none'></p>no</font>",
        // An end tag of something outside does not end what is inside a cell.
        "<div style='display:none'><table><tr><td></div>no</table></div>seen",
        "<span hidden><div></span>no</div></span>seen",
        "<ul><li style='display:none'>no<li>seen</ul>",
        "<img style='display:none' src=x alt=no><img style='width:1px;height:1px' src=x alt=no>seen",
    ] {
        let out = markdown(html);
        assert!(out.contains("seen") && !out.contains("no"), "{html}: {out}");
    }
}

#[test]
fn rules_apply_as_a_browser_applies_them() {
    for (css, html) in [
        (".x{display:none}", "<p class='a x'>no</p>seen"),
        ("#x{display:none}", "<p id=x>no</p>seen"),
        ("p.x.y{display:none}", "<p class='y x'>no</p><p class=x>seen</p>"),
        ("div > .x, td .x{display:none}", "<p class=x>seen</p><div><p class=x>no</p></div>"),
        ("div .x{display:none}", "<div><b><i class=x>no</i></b></div>seen"),
        ("h1 + p{display:none}", "<h1>seen</h1><p>no</p><p>seen</p>"),
        ("h1 + div p{display:none}", "<h1>seen</h1><div><p>no</p></div>"),
        ("h1 + b + p{display:none}", "<h1>seen</h1><b>seen</b><p>no</p>"),
        ("p:not(div > p){display:none}", "<p>no</p>seen"),
        ("p:not(:first-child){display:none}", "<b>seen</b><p>no</p>"),
        ("[data-x]{display:none}", "<p data-x>no</p>seen"),
        ("p[class^=hid]{display:none}", "<p class=hidden-a>no</p>seen"),
        ("p:not(.y){display:none}", "<p>no</p><p class=y>seen</p>"),
        (":is(.a, .x){display:none}", "<p class=x>no</p>seen"),
        ("p:first-child{display:none}", "<p>no</p>seen"),
        (".\\78{display:none}", "<p class=x>no</p>seen"),
        ("<!-- .x{display:none} -->", "<p class=x>no</p>seen"),
        (".x{display:none}.x{display:none;;}", "<p class=x>no</p>seen"),
        ("@import 'a'; broken{{} .x{display:none}", "<p>seen</p>"),
        ("@media all and (min-width:1px){.x{display:none}}", "<p class=x>no</p>seen"),
        ("@media print{.y{display:none}}.x{display:none}", "<p class=x>no</p><p class=y>seen</p>"),
        ("@media only screen and (max-width:600px){.y{display:none}}", "<p class=y>seen</p>"),
        ("@media (width <= 600px){.y{display:none}}", "<p class=y>seen</p>"),
        ("@media (1px <= width){.x{display:none}}", "<p class=x>no</p>seen"),
        ("@media (400px <= width <= 700px){.y{display:none}}", "<p class=y>seen</p>"),
        ("@media (prefers-reduced-motion:no-preference){.x{display:none}}", "<p class=x>no</p>seen"),
        ("@media (scripting:none){.x{display:none}}", "<p class=x>no</p>seen"),
        ("@media (prefers-color-scheme:dark){.y{color:#fff}}", "<p class=y>seen</p>"),
        ("@supports (display:grid){.x{display:none}}", "<p class=x>no</p>seen"),
        (".y{display:none}.y{display:block}", "<p class=y>seen</p>"),
        ("p.y{display:block}.y{display:none}", "<p class=y>seen</p>"),
        (".y{display:none}", "<p class=y style='display:block'>seen</p>"),
        (".x{display:none !important}", "<p class=x style='display:block'>no</p>seen"),
        ("a:hover{display:none}p::before{display:none}", "<p><a href=x>seen</a></p>"),
        (".y{color:#fff}.b{background:#00f}", "<div class=b><p class=y>seen</p></div>"),
    ] {
        let html = format!("<html><head><style>{css}</style></head><body>{html}</body></html>");
        let out = markdown(&html);
        assert!(out.contains("seen") && !out.contains("no"), "{html}: {out}");
    }
    let printed = "<style media=print>.y{display:none}</style><p class=y>seen";
    assert_eq!(markdown(printed), "seen");
}

#[test]
fn what_is_seen_of_ordinary_mails_stays() {
    for (kind, html, expected) in [
        (
            "Outlook",
            "<html xmlns:o='urn:schemas-microsoft-com:office:office'><head><meta charset=utf-8>\
             <!--[if !mso]><style>v\\:* {behavior:url(#default#VML);}</style><![endif]--><style><!--\n\
             @font-face {font-family:Calibri; panose-1:2 15 5 2 2 2 4 3 2 4;}\n\
             p.MsoNormal, li.MsoNormal {margin:0cm; font-size:11.0pt; font-family:'Calibri',sans-serif; mso-fareast-language:EN-US;}\n\
             a:link, span.MsoHyperlink {mso-style-priority:99; color:#0563C1; text-decoration:underline;}\n\
             p.MsoListParagraph {margin-left:36.0pt; text-indent:-18.0pt;}\n\
             .MsoChpDefault {mso-style-type:export-only;} @page WordSection1 {size:612.0pt 792.0pt;} --></style></head>\
             <body lang=DE link='#0563C1' style='word-wrap:break-word'><div class=WordSection1>\
             <p class=MsoNormal><span lang=EN-US style='color:windowtext'>Hi,<o:p></o:p></span></p>\
             <p class=MsoNormal><o:p>&nbsp;</o:p></p>\
             <p class=MsoListParagraph style='text-indent:-18.0pt;mso-list:l0 level1 lfo1'>\
             <span style='font:7.0pt \"Times New Roman\"'>1.</span>printer is broken</p>\
             <p class=MsoNormal><span style='font-size:8.0pt;color:#7F7F7F'>Sent from Kiel</span></p>\
             <div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'>\
             <p class=MsoNormal><b>From:</b> Ann</p></div></div></body></html>",
            "Hi,\n\n1.printer is broken\n\nSent from Kiel\n\n**From:** Ann",
        ),
        (
            "newsletter",
            "<html><head><style>body{margin:0;background:#f4f4f4}.btn{background:#0052cc;color:#ffffff}\
             .preheader{display:none;font-size:1px;color:#f4f4f4;line-height:1px;max-height:0;opacity:0;overflow:hidden}\
             @media only screen and (max-width:480px){.desktop{display:none!important}}\
             @media (prefers-color-scheme:dark){.t{color:#fff!important}}</style></head><body>\
             <div class=preheader>open me</div>\
             <table width=100% cellspacing=0 bgcolor=#f4f4f4><tr><td align=center style='font-size:0;line-height:0'>\
             <div style='display:inline-block;font-size:14px;line-height:20px' class='t desktop'>News of May</div></td></tr>\
             <tr><td height=10 style='height:10px;font-size:1px;line-height:1px'>&nbsp;</td></tr>\
             <tr><td bgcolor='#1a1a1a' style='padding:10px'><h1 style='color:#ffffff;margin:0'>Sale</h1></td></tr>\
             <tr><td background='https://e.example/hero.jpg'><p style='color:#fff'>On a picture</p></td></tr>\
             <tr><td><a class=btn href='https://e.example/x' style='display:inline-block;color:#ffffff'>Buy</a></td></tr>\
             <tr><td style='background-image:linear-gradient(90deg,#0052cc,#00a);color:white'>On a gradient</td></tr>\
             <tr><td style='color:#999999;font-size:9px'>Unsubscribe</td></tr></table></body></html>",
            "News of May\n\n# Sale\n\nOn a picture\n\n[Buy](https://e.example/x)\nOn a gradient\nUnsubscribe",
        ),
        (
            "Gmail reply",
            "<div dir=ltr><div>Thanks!</div><div><br></div><span class=gmail_signature_prefix>-- </span><br>\
             <div dir=ltr class=gmail_signature><font color='#888888' size=1>Pat</font></div></div><br>\
             <div class=gmail_quote><div dir=ltr class=gmail_attr>On Mon Ann wrote:<br></div>\
             <blockquote class=gmail_quote style='margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex'>\
             Hello</blockquote></div>",
            "Thanks!\n-- \nPat\nOn Mon Ann wrote:\n>\n> Hello",
        ),
        (
            "dark page",
            "<body bgcolor=black text=white><p>white on black</p><p style='background:none;color:inherit'>and this</p>\
             <mark style='color:#fff'>marked</mark><div style='position:relative;top:-3px;left:10px'>moved a little</div>\
             <div style='overflow:hidden;width:100%;max-width:600px'>wide</div><div style='height:0'>falls out of its box</div>\
             <div style='transform:translate(-50%,0) scale(1.1)'>moved</div><div style='clip-path:inset(5px)'>edges</div>\
             <span style='letter-spacing:-.5px;color:#aaa;opacity:.6'>tight</span></body>",
            "white on black\n\nand this\n\nmarked\nmoved a little\nwide\nfalls out of its box\nmoved\nedges\ntight",
        ),
    ] {
        let out = markdown(html);
        let lines = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(lines(&out), lines(expected), "{kind}: {out}");
    }
}

#[test]
fn styles_cost_a_bounded_time() {
    let rules = "div * .c, * {color:red}".repeat(20_000);
    for html in [
        format!("<style>{rules}</style>{}", "<p class='a b c'>x".repeat(20_000)),
        format!("<style>{}</style>{}x", "a b c d e f g h{color:red}".repeat(20_000), "<h>".repeat(1_000)),
        format!("<style>{}", "@media all{".repeat(100_000)),
        format!("<p style='{}'>x", "color:calc((".repeat(100_000)),
        format!("<style>{}", ":not(".repeat(100_000)),
        format!("<p style='{}'>x", "color:red;".repeat(100_000)),
        format!("<p class='{}'>x", "a ".repeat(500_000)),
        format!("<style>{}p{{color:red}}</style><p>x", "a~".repeat(300_000)),
        format!("<style>{}{{color:red}}</style><p>x", "#a".repeat(5_000)),
        format!("<style>b{{background:linear-gradient({})}}</style>{}", "#fff,".repeat(20_000), "<b>x".repeat(20_000)),
        format!("<style>p{{{}}}</style>{}", "top:0;".repeat(20_000), "<p>x".repeat(20_000)),
        format!(
            "<style>{}</style>{}",
            "[a*=y] p{top:0}".repeat(4_000),
            format!("<p a='{}'>x", "z".repeat(100_000)).repeat(200)
        ),
        "<p><font color=red>".repeat(50_000),
        "<div><b><i><a>".repeat(50_000) + &"</div></span>".repeat(50_000),
    ] {
        let started = std::time::Instant::now();
        markdown(&html);
        assert!(started.elapsed().as_secs() < 20, "{}: {:?}", &html[..60], started.elapsed());
    }
    let out = markdown(&format!("<style>{rules}</style>{}", "<p class='a b c'>x".repeat(20_000)));
    assert!(out.ends_with(super::EXHAUSTED), "what was not decided is said");
}
