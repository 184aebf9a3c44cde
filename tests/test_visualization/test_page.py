import base64
import hashlib
import re

from pcdet_kd.visualization.page import asset, contents, header, page, protocol


def test_nothing_is_loaded_and_paper_is_thought_of():
    css = asset('page.css')
    assert not re.search(r'url\(|@import|http', css)
    assert '@media print' in css and 'print-color-adjust: exact' in css and '@page' in css
    assert css.count('{') == css.count('}')


def test_a_page_allows_its_own_scripts_only():
    html = page('a < b', ['<p>x</p>', '', '<p>y</p>'], ['viewer.js'])
    script = re.search(r'<script>(.*?)</script>', html, re.DOTALL).group(1)
    assert script == asset('viewer.js')
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html and "default-src 'none'" in html
    assert '<title>a &lt; b</title>' in html and '<p>x</p>\n<p>y</p>' in html
    assert "script-src 'none'" in page('plain', []) and '\n<body>' in page('plain', [])
    assert '<body class=wide-page>' in page('plain', [], wide=True)


def test_words_are_text_and_not_html():
    top = header('kind <1>', 'title & 2', 'lead <3>')
    assert 'kind &lt;1&gt;' in top and 'title &amp; 2' in top and 'lead &lt;3&gt;' in top
    assert 'class="lead"' not in header('kind', 'title')
    assert '<dt>&lt;k&gt;</dt><dd>1</dd>' in protocol('Runs', {'<k>': 1})


def test_contents_lead_to_sections():
    body = [
        '<p>x</p>',
        protocol('Runs', {}),
        '<section id="a"><div class="keep"><h2>A &amp; B</h2></div></section>',
        '<section><h2>none</h2></section>',
    ]
    links = '<a href="#protocol">Runs</a><a href="#a">A &amp; B</a>'
    assert contents(body) == f'<nav aria-label="Contents">{links}</nav>'
