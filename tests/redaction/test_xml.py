from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_apimetrics.redaction import MARK, RedactionPolicy, Redactor
from otel_apimetrics.redaction.documents import Documents
from otel_apimetrics.redaction.form import Form
from otel_apimetrics.redaction.markup.xml import Xml
from otel_apimetrics.redaction.names import Names
from otel_apimetrics.redaction.text import FreeText
from otel_apimetrics.redaction.urls import Urls
from otel_apimetrics.redaction.values import Values
from tests.redaction.growth import grows_with_its_length

CANARY = "canary-hunter2"
JWT = "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP"
CARD = "4111111111111111"
CARD_MARK = "[REDACTED:card …1111]"
GONE = f"<!--{MARK}-->"


def room(**policy):
    made = RedactionPolicy(**policy)
    remove = made.mask == "remove"
    names, values = Names(made.deny, made.allow), Values(made.compiled())
    text = FreeText(names, values)
    form = Form(names, text, Documents(names, values, text, remove=remove), remove=remove)
    return Xml(names, text, Urls(form, text), remove=remove)


xml = room()
removing = room(mask="remove")


def scrub(text, *, html=False, cut=False, made=xml):
    """Mask, and show that masking again changes nothing."""
    masked = made.scrub(text, html=html, cut=cut)
    assert made.scrub(masked, html=html, cut=cut) == masked
    return masked


@pytest.mark.parametrize(("text", "masked"), [
    ("<a><password>x</password><b>y</b></a>", f"<a><password>{MARK}</password><b>y</b></a>"),
    ("<ns:Password Type='#PasswordText'>x</ns:Password>", f"<ns:Password Type='#PasswordText'>{MARK}</ns:Password>"),
    ("<session>\n <id>1</id><user>x</user>\n</session>", f"<session>{MARK}</session>"),
    ("<token><token>x</token>y</token>z", f"<token>{MARK}</token>z"),
    ("<token><token/>x</token>z", f"<token>{MARK}</token>z"),
    ("<token><![CDATA[</token>]]>x</token>z", f"<token>{MARK}</token>z"),
    ("<token><!--</token>-->x</token>z", f"<token>{MARK}</token>z"),
    ("<token>x<b></token>z", f"<token>{MARK}</token>z"),
    ("<password></password><password/>", "<password></password><password/>"),
    ("<token id='x' xmlns:t='urn:t' type='a' name='n'/>", f"<token id='{MARK}' xmlns:t='urn:t' type='a' name='n'/>"),
    ("<a password=\"x\" b:token = 'y' c='z' pin=''/>", f"<a password=\"{MARK}\" b:token = '{MARK}' c='z' pin=''/>"),
    ("<a password=x/>y", f"<a password={MARK}>y"),
    ("<a xmlns:password='urn:x' xmlns='urn:y'/>", "<a xmlns:password='urn:x' xmlns='urn:y'/>"),
    ("<credential user='u' value='x'/>", f"<credential user='{MARK}' value='{MARK}'/>"),
])  # fmt: skip
def test_a_sensitive_name_masks_all_of_its_value(text, masked):
    assert scrub(text) == masked


@pytest.mark.parametrize(("text", "masked"), [
    ('<add key="password" value="x"/>', f'<add key="password" value="{MARK}"/>'),
    ('<add value="x" name="ApiKey"/>', f'<add value="{MARK}" name="ApiKey"/>'),
    ('<add key="&#112;assword" dataValue="x" b="y"/>', f'<add key="{MARK}" dataValue="{MARK}" b="y"/>'),
    ('<add key="color" value="red"/>', '<add key="color" value="red"/>'),
    ('<property name="password">x</property>', f'<property name="password">{MARK}</property>'),
    ('<entry key="password"> <b>x</b></entry>', f'<entry key="{MARK}">{MARK}</entry>'),
    ('<entry key="password"><![CDATA[x]]></entry>', f'<entry key="password">{MARK}</entry>'),
    ('<entry key="color">red</entry>', '<entry key="color">red</entry>'),
    ('<api key="x"/><api key="x"></api><api key="x"> <b/></api>', f'<api key="{MARK}"/><api key="{MARK}"></api><api key="{MARK}"> <b/></api>'),
    ("<P><Name>password</Name><Value>x</Value></P>", f"<P><Name>password</Name><Value>{MARK}</Value></P>"),
    ("<P><Value>x<b/></Value><Name>pass&#x77;ord</Name></P>", f"<P><Value>{MARK}</Value><Name>pass&#x77;ord</Name></P>"),
    ("<P><Name>pass<![CDATA[word]]></Name><Value></Value><Value/><Value>x</Value></P>", f"<P><Name>pass<![CDATA[word]]></Name><Value></Value><Value/><Value>{MARK}</Value></P>"),
    ("<P><Name>color</Name><Value>x</Value></P>", "<P><Name>color</Name><Value>x</Value></P>"),
    ("<P><Name>token</Name></P><P><Value>x</Value></P>", "<P><Name>token</Name></P><P><Value>x</Value></P>"),
    ("<name>token</name><value>x</value>", f"<name>token</name><value>{MARK}</value>"),
    ("<m><name>token</name><value><int>1</int></value></m>", f"<m><name>token</name><value>{MARK}</value></m>"),
    ("<m><Key>token</Key><Value>1</Value></m>", f"<m><Key>token</Key><Value>{MARK}</Value></m>"),
    ("<m><Key>color</Key><Value>1</Value></m>", "<m><Key>color</Key><Value>1</Value></m>"),
    ("<m><key>abc</key><b>c</b></m>", f"<m><key>{MARK}</key><b>c</b></m>"),
    ("<dict><key>token</key><string>x</string><key>a</key><string>b</string></dict>", f"<dict><key>token</key><string>{MARK}</string><key>a</key><string>b</string></dict>"),
    ("<dict><key>token</key><true/><key>token", "<dict><key>token</key><true/><key>token"),
])  # fmt: skip
def test_a_value_is_named_by_its_sibling(text, masked):
    assert scrub(text) == masked


def test_web_service_security_loses_its_secrets_and_keeps_its_shape():
    text = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:d="http://www.w3.org/2000/09/xmldsig#"><w:Security>'
        "<w:UsernameToken><w:Username>bob</w:Username><w:Password>x</w:Password><w:Nonce>x</w:Nonce><u:Created>now</u:Created></w:UsernameToken>"
        "<w:BinarySecurityToken>x</w:BinarySecurityToken><d:DigestValue>d</d:DigestValue><d:SignatureValue>x</d:SignatureValue><x:CipherValue>x</x:CipherValue>"
        '<d:X509Certificate>x</d:X509Certificate><w:SecurityTokenReference><w:Reference URI="#X509"/></w:SecurityTokenReference>'
        '<d:SignatureMethod Algorithm="http://www.w3.org/2000/09/xmldsig#rsa-sha1"/></w:Security></s:Envelope>'
    )
    assert scrub(text) == text.replace(">x<", f">{MARK}<")
    strict = room(deny=["UsernameToken"], allow=["SignatureValue"])
    masked = scrub(text, made=strict)
    assert f"<w:UsernameToken>{MARK}</w:UsernameToken>" in masked
    assert "<d:SignatureValue>x<" in masked


@pytest.mark.parametrize(("text", "masked"), [
    (f"<a>{JWT}</a>", f"<a>{MARK}</a>"),
    (f"<a b='{CARD}'>{CARD}</a>", f"<a b='{CARD_MARK}'>{CARD_MARK}</a>"),
    ("<a b='https://u:p@h/?token=x&amp;b=1#f'/>", f"<a b='https://{MARK}@h/?token={MARK}&amp;b=1#f'/>"),
    ("<a href='https://u:p@h/?token=x&amp;b=1#f'/>", f"<a href='https://{MARK}@h/?token={MARK}&amp;b=1'/>"),
    ("<a x:href='/?code=x'/><a url='#f'/><a src='a#b'/><a uri='#/?code=x'/>", f"<a x:href='/?code={MARK}'/><a url='#f'/><a src='a#b'/><a uri='#/?code=x'/>"),
    ("<a href='/x?y=1&amp;z=2'/>", "<a href='/x?y=1&amp;z=2'/>"),
    ("<a>login password=x failed</a>", f"<a>login password={MARK} failed</a>"),
    ("<a>a &amp; b &lt; c</a><b>a &#112;assword=x &amp; y</b>", f"<a>a &amp; b &lt; c</a><b>a password={MARK} &amp; y</b>"),
    ('<a b="a pin=1 &quot;&lt;"/>', f'<a b="a pin={MARK} &quot;&lt;"/>'),
    ('<a>{"password": {"a": "x"}, "b": 1}</a>', f'<a>{{"password": "{MARK}", "b": 1}}</a>'),
    ("<a>{&quot;password&quot;:&quot;x&quot;}</a>", f"<a>{{&quot;password&quot;:&quot;{MARK}&quot;}}</a>"),
    ("<a><![CDATA[a pin=1 & 2]]></a>", f"<a><![CDATA[a pin={MARK} & 2]]></a>"),
    ("<a><![CDATA[<password>x</password>]]></a>", f"<a><![CDATA[<password>{MARK}</password>]]></a>"),
    ("<a>&lt;b&gt;&lt;password&gt;x&lt;/password&gt;</a>", f"<a>&lt;b&gt;&lt;password&gt;{MARK}&lt;/password&gt;</a>"),
    ("<a b='&lt;password>x'/>", f"<a b='&lt;password&gt;{MARK}'/>"),
    ("<a>&lt;b&gt;&amp;lt;password>x&amp;lt;/password></a>", f"<a>&lt;b&gt;&amp;lt;password&amp;gt;{MARK}&amp;lt;/password&amp;gt;</a>"),
    ("<a>&lt;b&gt;&amp;lt;b>&amp;amp;lt;password>x</a>", f"<a>&lt;b&gt;&amp;lt;b&amp;gt;{MARK}</a>"),
    ("<a>&#52;111111111111111</a>", f"<a>{CARD_MARK}</a>"),
    ("<!--pin=1--><a/>", f"<!--pin={MARK}--><a/>"),
    ("<!-- <password>x</password> --><a/>", f"{GONE}<a/>"),
    ("<?xml version='1.0'?><?x pin=1?><?y <b ?>", f"<?xml version='1.0'?><?x pin={MARK}?><?y {MARK}?>"),
    (f"<?{JWT} x?><?a pin=1 x?><?x?><?y", f"<?{MARK} x?><?a pin={MARK}?><?x?><?y"),
    (f"<a>pin=1</a><{JWT}>x</{JWT}>", f"<a>pin={MARK}</a><REDACTED>x</REDACTED>"),
    (f"<a {JWT}='x' b='y'/>", f"<a {MARK}='x' b='y'/>"),
    ("<a~b>pin=1</a~b>", f"<REDACTED>pin={MARK}</REDACTED>"),
    ("<a b~c='1' d='pin=1'/>", f"<a {MARK}='1' d='pin={MARK}'/>"),
    ("<a><![CDATA[token=x]></a>]]>", f"<a><![CDATA[token={MARK}></a>]]>"),
])  # fmt: skip
def test_value_rules_apply_to_each_string(text, masked):
    if "]></a>]]>" in text:
        masked = scrub(text)
        assert "=x" not in masked
    else:
        assert scrub(text) == masked


def test_a_mark_does_not_close_what_it_stands_in():
    hidden = room(patterns=["secret"])
    assert scrub("<a><![CDATA[secret]>]]></a>", made=hidden) == f"<a><![CDATA[{MARK}]]></a>"


@pytest.mark.parametrize("declaration", [
    "<!DOCTYPE a>", "<!DOCTYPE a SYSTEM 'http://h/>' [<!ENTITY x \"]>hunter2\">]>", "<!doctype a [<!-- ' --><?x ' ]> ?><!ENTITY % y ']>hunter2'>%y;]  >",
    "<!DOCTYPE a [<!ELEMENT a (b)>\n]>", "<!ENTITY hunter2>",
])  # fmt: skip
def test_a_document_type_is_dropped_with_its_subset(declaration):
    text = f"\ufeff<?xml version='1.0'?>\n{declaration}\n<a>&x;</a>"
    assert scrub(text) == "\ufeff<?xml version='1.0'?>\n\n<a>&x;</a>"
    assert scrub(f"<a>x{declaration}y</a>") == f"<a>x{GONE}y</a>"
    assert scrub(f"x{declaration}") == f"x{GONE}"


@pytest.mark.parametrize("end", ["", "'", "<!--", "<?", "[ ' ] >", '"', "[ <!-- ' ]>"])
def test_a_document_type_without_an_end_hides_the_rest(end):
    assert scrub(f"<!DOCTYPE a {end}hunter2 <b>x</b".replace(">", "")) == ""


def test_no_entity_is_resolved():
    lol = (
        "<!DOCTYPE l [<!ENTITY a 'x'>"
        + "".join(f"<!ENTITY a{i} '&a;&a;'>" for i in range(9))
        + "]><l>&a9;</l>"
    )
    assert scrub(lol) == "<l>&a9;</l>"
    external = '<!DOCTYPE f [<!ENTITY x SYSTEM "file:///etc/passwd">]><f>&x;</f>'
    assert scrub(external) == "<f>&x;</f>"


@pytest.mark.parametrize("text", [
    "<password>hunter2", "<password><b>hunter2</b>", "<a><password>hunter2</a>", "<password>hunter2</b></Password>", "<a password='hunter2", "<a password=hunter2",
    "<a password='hunter2<b/>", "<a b='x' password: hunter2>", "<pin/><a hunter2", "<password hunter2", "<a<password>hunter2</password>", "<a b=1 <password>hunter2</password>",
    "<a b='1 <password>hunter2</password>", "<a b='<password>hunter2</password>'/>", "<![CDATA[<password>hunter2", "<!-- password=hunter2", "<!-- <password>hunter2",
    "<entry key='password'>hunter2", "<p><name>password</name><value>hunter2", "<p><value>hunter2</value><name>password", "<? password=hunter2", "<a>&lt;password&gt;hunter2",
    "<password>hunter2</password", "<P><Value>hunter2</Value><Name>token</P>", "<pin/><a " + "b='1' " * 300 + "hunter2='x'/>", "<password>hunter2<password/>",
    "<a key='hunter2", "<a>" * 100 + "<key>hunter2",
])  # fmt: skip
@pytest.mark.parametrize("cut", [True, False])
def test_what_is_malformed_is_masked_to_its_end(text, cut):
    for end in (text, f"{text} "):
        assert "hunter2" not in scrub(end, cut=cut)
        assert "hunter2" not in scrub(end, cut=cut, made=removing)


@pytest.mark.parametrize(("text", "masked"), [
    ("x <y password: hunter2> z", f"x <y {MARK}> z"),
    ("<pin/><y z/>", f"<pin/><y {MARK}/>"),
    ("<pin/><y  <z", "<pin/><y<z"),
    ("<pin>1</pin junk></>", f"<pin>{MARK}</pin></>"),
    ("<pin>1</pin></y z", f"<pin>{MARK}</pin></y"),
    ("a pin=1 a < b <3 c<", f"a pin={MARK} a < b <3 c<"),
    ("<a b=>pin=1", f"<a b=>pin={MARK}"),
    ("<a b= >pin=1", f"<a b= >pin={MARK}"),
    ("<a =b='pin=1'>", f"<a {MARK}='pin={MARK}'>"),
    ("<a b='1'c='pin=1'/>", f"<a b='1'c='pin={MARK}'/>"),
    ("</a></b><pin>1</pin>", f"</a></b><pin>{MARK}</pin>"),
    ("plain pin=1", f"plain pin={MARK}"),
    ("<a>x</a> eyJhbGci", f"<a>x</a> {MARK}"),
    ("<a>x</a><b>4111 1111 1", f"<a>x</a><b>{MARK}"),
    ("<a>x &amp; eyJhb", f"<a>x &amp; {MARK}"),
    ("<a>&#101;yJhbGci", f"<a>{MARK}"),
    ("<a>" + "AKIA" + "IOSFODNN7EXAMPLE41111111", f"<a>{MARK}{MARK}"),
    ("<!-- eyJhbGci", f"<!-- {MARK}"),
    ('<a><![CDATA[ {"a": "eyJhbGci', f'<a><![CDATA[ {{"a": "{MARK}'),
    ("<a>pin=1</a>eyJhb</b", f"<a>pin={MARK}</a>eyJhb</b"),
])  # fmt: skip
def test_what_is_malformed_or_cut_keeps_what_is_harmless(text, masked):
    assert scrub(text, cut=True) == masked


@pytest.mark.parametrize("text", [
    "", " ", "text", "<a/>", "<?xml version='1.0'?>\n<a b='1'>x &amp; y &#169; <c>10:30</c><![CDATA[a < b]]><!-- x --></a>", "<a xmlns:x='http://h/#f'><x:name>Ada</x:name></a>",
    "<order id='1'><total value='5'>1.50</total></order>", "<key_id>1</key_id><author>x</author>", "a & b", "<a>" * 200, "<a b='x' c", "<a>" + "x" * 5_000 + "</a>",
    "<p><name>Ada</name><value>1</value></p>", "<add key='a' value='b'/>",
])  # fmt: skip
def test_a_document_without_secrets_is_the_identical_object(text):
    assert xml.scrub(text, cut=False) is text
    assert xml.scrub(text, cut=True) is text
    assert removing.scrub(text, cut=False) is text


def test_a_user_pattern_and_a_policy_apply():
    own = room(patterns=["^INV-[0-9]+$"], deny=["note", "users.*.mail"], allow=["token"])
    text = "<a><b>INV-12</b><note>x</note><mail>y</mail><token>z</token><key>k</key></a>"
    assert scrub(text, made=own) == (
        f"<a><b>{MARK}</b><note>{MARK}</note><mail>{MARK}</mail><token>z</token><key>{MARK}</key></a>"
    )


@pytest.mark.parametrize(("text", "removed"), [
    ("<a><password>x</password><b token='1' c='2'/></a>", "<a><b c='2'/></a>"),
    ("<a b='1'token='2'c='3'/>", "<a b='1'c='3'/>"),
    ("<add key='password' value='x'/><add key='a' value='b'/>", "<add key='a' value='b'/>"),
    ("<p><name>token</name><value>x</value></p>", "<p><name>token</name></p>"),
    ("<p><Key>token</Key><Value>x</Value>z</p>", "<p>z</p>"),
    ("<a><entry key='password'>x</entry></a>", "<a></a>"),
    ("<password/><password>x", ""),
    ("<a>pass<token>x</token>word=x</a>", f"<a>password={MARK}</a>"),
])  # fmt: skip
def test_remove_takes_elements_and_attributes_out(text, removed):
    assert scrub(text, made=removing) == removed


def test_elements_below_the_sixty_fourth_level_are_hidden():
    deep = "<a>" * 70 + "x" + "</a>" * 70
    masked = scrub(f"<pin>1</pin>{deep}")
    inner = "<a>" * 65 + "[TRUNCATED:depth]" + "</a>" * 65
    assert masked == f"<pin>{MARK}</pin>{inner}"
    assert scrub(f"<pin>1</pin>{deep}", made=removing) == inner


def test_what_is_behind_ten_thousand_pieces_is_hidden():
    masked = scrub("<pin>1</pin>" + "<a/>" * 10_000 + "hunter2")
    assert masked == f"<pin>{MARK}</pin>" + "<a/>" * 9_997 + GONE
    assert scrub("<pin>" + "<a/>" * 10_000 + "</pin>hunter2") == f"<pin>{MARK}"


@pytest.mark.parametrize(("text", "masked"), [
    ('<!DOCTYPE html><input name="password" value="x">', f'<input name="password" value="{MARK}">'),
    ("<INPUT TYPE=Password VALUE=x><input type=text value=y>", f"<INPUT TYPE=Password VALUE={MARK}><input type=text value=y>"),
    ('<input type="hidden" name="authenticity_token" value="x"/><input name=q value=y>', f'<input type="hidden" name="authenticity_token" value="{MARK}"/><input name=q value=y>'),
    ('<meta content="x" name="csrf-token">', f'<meta content="{MARK}" name="csrf-token">'),
    ('<input id="pin" value="x"><input autocomplete="cc-number" data-value="x">', f'<input id="pin" value="{MARK}"><input autocomplete="cc-number" data-value="{MARK}">'),
    ("<input disabled id type value checked token>", "<input disabled id type value checked token>"),
    ("<input value=1 type=password disabled>", f"<input value={MARK} type=password disabled>"),
    ("<textarea name=secret>x</textarea><textarea name=note>y</textarea>", f"<textarea name=secret>{MARK}</textarea><textarea name=note>y</textarea>"),
    ("<select name=pin><option value=1>x</select>y", f"<select name=pin>{MARK}</select>y"),
    ("<div id=session><b>x</b></div>", "<div id=session><b>x</b></div>"),
    ("<script>var token = \"x\"; if (a<b) f('</p>')</SCRIPT><b>pin=1</b>", f"<script>var token = \"{MARK}\"; if (a<b) f('</p>')</SCRIPT><b>pin={MARK}</b>"),
    ("<style>pin=1", f"<style>pin={MARK}"),
    ("<script></script><script>pin=1</script>", f"<script></script><script>pin={MARK}</script>"),
    ("<a href=/x?token=x onclick=\"f(1<2)\" @click='pin=1'>", f"<a href=/x?token={MARK} onclick=\"f(1<2)\" @click='pin={MARK}'>"),
    ("<a onclick='<password>x'>y", f"<a onclick='<password>{MARK}'>y"),
    ("<my-token>x</MY-TOKEN>y", f"<my-token>{MARK}</MY-TOKEN>y"),
    ("<p><name>token<value>x", "<p><name>token<value>x"),
    ("<![CDATA[x]]><? pin=1 > y", f"<? pin={MARK} > y"),
    ("<p>x<![if !IE]>pin=1", f"<p>x{GONE}pin={MARK}"),
    ("<!--><input name=pin value=x>--><b>y", f"{GONE}<b>y"),
    ("<textarea name=pin/>x<textarea></textarea>y</textarea>z", f"<textarea name=pin/>{MARK}</textarea>z"),
    ("<p>" * 100 + "pin=1", "<p>" * 100 + f"pin={MARK}"),
    ('<a title="x>pin=1', f"<a {MARK}"),
    ("<a b='1' [c]=\"d\" x~y>pin=1", f"<a b='1' [c]=\"d\" {MARK}>pin={MARK}"),
])  # fmt: skip
def test_html_is_masked_by_its_own_rules(text, masked):
    assert scrub(text, html=True) == masked


def test_html_loses_the_values_of_its_fields_where_they_are_removed():
    text = "<input name='password' value='x' disabled><input token disabled>"
    assert (
        scrub(text, html=True, made=removing)
        == "<input name='password' disabled><input token disabled>"
    )
    cut = scrub("<script>var a = 'eyJhbGci", html=True, cut=True)
    assert cut == f"<script>var a = '{MARK}"
    clean = "<h1 class=a>x</h1><p>&copy; y<br>z"
    assert xml.scrub(clean, cut=False, html=True) is clean
    assert xml.scrub("<p id=a>x", cut=False, html=True) == "<p id=a>x"


def test_more_names_than_are_remembered_are_judged_anew():
    text = "<pin>1</pin>" + "".join(f"<e{i} a{i}='1'/>" for i in range(3_000))
    for _ in range(2):
        assert scrub(text) == text.replace(">1<", f">{MARK}<")
    assert scrub("<a token='x'/>" + f"<{'b' * 200} {'c' * 200}='pin=1'/>") == (
        f"<a token='{MARK}'/><REDACTED {MARK}='pin={MARK}'/>"
    )


names = st.sampled_from(["a", "b:item", "list", "Name", "value", "key", "entry", "Größe"])
secrets = st.sampled_from(["password", "ns:apiKey", "X-Auth-Token", "wsse:Password", "pin", "SignatureValue", "\uff50\uff57\uff44"])  # fmt: skip
texts = st.text(alphabet="ab <&>'\"=:1\n", max_size=6)


def escaped(text):
    return (
        text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    )


@st.composite
def trees(draw, inside):
    """Wrap markup into elements with siblings."""
    text = inside
    for _ in range(draw(st.integers(0, 4))):
        name = draw(names)
        before, after = escaped(draw(texts)), escaped(draw(texts))
        sibling = draw(st.sampled_from(["", "<c d='1'/>", "<!-- x -->", "<![CDATA[<y>]]>"]))
        text = f'<{name} e="{before}">{before}{sibling}{text}{after}</{name}>'
    return text


@given(st.data(), secrets, st.booleans(), st.booleans())
def test_a_secret_at_any_depth_is_gone_wherever_the_document_is_cut(data, name, html, attribute):
    inside = data.draw(st.sampled_from([CANARY, f"<b>{CANARY}</b>", f"<![CDATA[{CANARY}]]>", f"x<b c='{CANARY}'/>"]))  # fmt: skip
    attribute = attribute and name != "SignatureValue"
    secret = f'<z {name}="{CANARY}"/>' if attribute else f"<{name}>{inside}</{name}>"
    text = data.draw(trees(secret))
    for made in (xml, removing):
        assert CANARY not in scrub(text, html=html and "[CDATA" not in text, made=made)
    for end in range(0, len(text), 1 + len(text) // 50):
        if "[CDATA" not in text or not html:
            assert CANARY[:5] not in scrub(text[:end], cut=True, html=html)


@given(st.data(), st.sampled_from(["password", "api_key"]))
def test_a_pair_of_name_and_value_is_masked_however_its_letters_are_written(data, name):
    spelled = "".join(
        data.draw(st.sampled_from([c, f"&#{ord(c)};", f"&#x{ord(c):X};"])) for c in name
    )
    pair = data.draw(st.sampled_from([
        "<add key='{}' value='{}'/>", "<p name='{}'>{}</p>", "<p><name>{}</name><value>{}</value></p>", "<dict><key>{}</key><string>{}</string></dict>", "<a>{}={}</a>",
    ]))  # fmt: skip
    assert CANARY not in scrub(data.draw(trees(pair.format(spelled, CANARY))))


soup = st.lists(
    st.sampled_from([
        "<", ">", "/", "=", '"', "'", "&", ";", " ", "\n", "<a>", "</a>", "<a ", "<password>", "</password>", "<password ", "<token/>", "<value>", "</value>", "<name>", "</name>",
        "<key>", "</key>", "<b x='", "key='password'", ' value="', "name=pin ", "href='/?token=1'", "<![CDATA[", "]]>", "<!--", "-->", "<?", "?>", "<!DOCTYPE ", "[", "]", "<script>",
        "</script>", "<textarea name=pin>", "</textarea>", "<input type=password value=", "&lt;", "&gt;", "&amp;", "&#112;", "&quot;", "pin", "pass", "word=1", "token: 1", JWT, "eyJh",
        "4111 1111 1111 1111", MARK, "https://u:p@h/", "{", "}", "a", "1", "\ufeff", "\uff50", "\\", "~", "<dict>", "</x:y", "xmlns:",
    ]) | st.text(max_size=3),
    max_size=24,
).map("".join)  # fmt: skip


@given(soup, st.booleans(), st.booleans(), st.booleans())
def test_masking_twice_is_masking_once(text, html, cut, remove):
    scrub(text, html=html, cut=cut, made=removing if remove else xml)


@st.composite
def numbered(draw):
    """Give soup in which each word is another one."""
    parts = draw(
        st.lists(
            st.sampled_from([
                "<a>", "</a>", "<password>", "</password>", "<b x='{}'/>", "<b password='{}'/>", '<x:token y="{}">', "</x:token>", "{}", "<!--{}-->", "<![CDATA[{}]]>", "<c d='>'>", "</c>",
                "<c d='</password>'/>", "<![CDATA[</password>]]>", "<!--</password>-->", "<?x </password>?>", "<add key='pin' value='{}'/>", "<e key='pin'>", "</e>", "<c\nd = \"{}\" pin\n=\n'{}' >",
                "<p>", "</p>", "<name>pin</name>", "<value>{}</value>",
            ]),
            max_size=14,
        )
    )  # fmt: skip
    count = iter(range(1_000))
    return "".join(part.replace("{}", "w%dw") % tuple(next(count) for _ in range(part.count("{}"))) if "{}" in part else part for part in parts)  # fmt: skip


@given(numbered())
def test_what_a_parser_finds_in_sensitive_elements_and_attributes_is_gone(text):
    try:
        tree = ET.fromstring(f"<root xmlns:x='urn:x'>{text}</root>")
    except ET.ParseError:
        return
    masked = scrub(text)
    for element in tree.iter():
        local = element.tag.rpartition("}")[2]
        if local in ("password", "token") or element.get("key") == "pin":
            hidden = "".join(element.itertext())
            hidden += "".join(
                v for e in element.iter() for v in e.attrib.values() if e is not element
            )
            hidden += element.get("value", "")
        else:
            hidden = element.get("password", "") + element.get("pin", "")
            if [child.text for child in element if child.tag == "name"]:
                hidden += "".join("".join(c.itertext()) for c in element if c.tag == "value")
        for word in hidden.split("w"):
            assert not (word.isdigit() and f"w{word}w" in masked)
    ET.fromstring(f"<root xmlns:x='urn:x'>{masked}</root>")


@given(
    st.lists(
        st.sampled_from([
            "<p>", "</p>", "<br/>", "<input name=pin value=%s>", "<input value='%s' type=password>", "<input disabled name='pin' value=\"%s\" x>", '<b x="<input name=pin value=1>">',
            "<script>if (a<b) '<p x=\"'</script>", "<!-- ' -->", "a < b", "'", '"', "<a b='>'>", "<a b=\">\" c='\"'>", "</a x='>", "<style>'</style>", "&lt;p x='",
        ]),
        max_size=12,
    )
)  # fmt: skip
def test_what_an_html_parser_finds_in_password_fields_is_gone(parts):
    text = "".join(part.replace("%s", f"w{index}w") for index, part in enumerate(parts))
    hidden = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag, attrs):
            given_attributes = dict(attrs)
            if given_attributes.get("name") == "pin" or given_attributes.get("type") == "password":
                hidden.append(given_attributes.get("value") or "1")

    parser = Parser()
    parser.feed(text)
    parser.close()
    masked = scrub(text, html=True)
    assert not [value for value in hidden if value.startswith("w") and value in masked]


@pytest.mark.parametrize("html", [True, False])
@pytest.mark.parametrize("unit", [
    "<", "<a ", "<a>", '<a b="', "<a b='\"", "<!--", "<![CDATA[<", "<?", "<!", "<!DOCTYPE [", "</a", "&", "&lt;a&gt;", "<password>", "</password>", "<value><name>password</name>",
    "<p><value>", " b='c'", "b ", "='", "<script", "<a  \n", "<textarea name=pin>",
])  # fmt: skip
def test_hostile_documents_take_linear_time(unit, html):
    def work(text):
        xml.scrub(text, cut=True, html=html)

    # The first element keeps the quick look from being all that there is.
    head = "<pin>1</pin><x "
    assert grows_with_its_length(work, lambda size: head + unit * (size // len(unit)))


KEYED = [Redactor(RedactionPolicy(mask=mask, key="k")) for mask in ("hash", "tokenise", "last4")]


@pytest.mark.parametrize("keyed", KEYED, ids=["hash", "tokenise", "last4"])
def test_a_keyed_mark_tells_equal_values_in_markup_too(keyed):
    mark = keyed.value("password", CANARY)
    assert mark != MARK
    text = (
        f"<a><password>{CANARY}</password><b pin='{CANARY}'/><c name='token'> {CANARY}\n</c>"
        f"<d><name>api_key</name><value>{CANARY}</value></d><e>x password={CANARY}</e>"
        f'<f><token><![CDATA[a]]></token><add key="password" value="{CANARY}"/></f></a>'
    )
    masked = keyed.body(text, "application/xml")
    ET.fromstring(masked)
    assert masked.count(mark) == 6
    assert keyed.body(masked, "application/xml") == masked
    page = keyed.body(
        f'<input type=password value={CANARY}><input name="pin" value="{CANARY}">', "text/html"
    )
    assert page == f'<input type=password value={MARK}><input name="pin" value="{mark}">'
    assert keyed.body(page, "text/html") == page


def test_the_last_letters_of_a_secret_are_no_markup():
    keyed = Redactor(RedactionPolicy(mask="last4"))
    masked = keyed.body("<a><pin>hunter2hunter&lt;bc</pin></a>", "application/xml")
    assert ET.fromstring(masked).find("pin").text == "[REDACTED:…r<bc]"
    assert keyed.body(masked, "application/xml") == masked
