"""How the page of a report looks, on a screen and on paper."""

CSS = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
html { background: #fff; -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 56px 24px 72px; max-width: 768px; color: #222; background: #fff;
  font: 16px/1.55 Charter, "Bitstream Charter", "Source Serif 4", Cambria, Georgia, serif; }
h1, h2, h3, th, dt, svg, .badge, .kind, caption, figcaption, nav, footer, table, dl {
  font-family: "Source Sans 3", "Helvetica Neue", Helvetica, Arial, "DejaVu Sans", sans-serif; }
h1 { font-size: 30px; line-height: 1.2; font-weight: 600; margin: 2px 0 10px; letter-spacing: -.01em; }
h2 { font-size: 20px; font-weight: 600; margin: 40px 0 8px; padding-top: 14px; border-top: 1px solid #d9d9d9; }
h3 { font-size: 16px; font-weight: 600; margin: 28px 0 6px; }
p { margin: 8px 0 12px; }
.kind { color: #666; font-size: 14px; margin: 0; }
.lead { font-size: 18px; line-height: 1.5; }
.notice { border-left: 3px solid #d55e00; padding: 2px 0 2px 14px; margin: 18px 0; }
.protocol { border: 1px solid #cfcfcf; border-radius: 4px; padding: 14px 18px 10px; margin: 22px 0; font-size: 14px;
  line-height: 1.45; }
.protocol h2 { font-size: 14px; margin: 0 0 8px; padding: 0; border: 0; }
dl { display: grid; grid-template-columns: 118px 1fr; gap: 4px 14px; margin: 0; }
dt { color: #666; overflow-wrap: anywhere; } dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; margin: 16px 0 20px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; line-height: 1.35; font-variant-numeric: tabular-nums; }
caption { caption-side: top; text-align: left; color: #444; padding: 0 0 8px; }
thead th { border-top: 1.5px solid #222; border-bottom: 1px solid #222; font-weight: 600; vertical-align: bottom; }
th, td { padding: 4px 7px; text-align: right; font-weight: 400; }
td { white-space: nowrap; } td small { font-size: 11.5px; color: #555; }
th:first-child { text-align: left; padding-left: 2px; } td:last-child, thead th:last-child { padding-right: 2px; }
tbody tr:last-child > * { border-bottom: 1.5px solid #222; }
tr.rule > * { border-top: 1px solid #cfcfcf; }
figure { margin: 20px 0 26px; }
figcaption { font-size: 14px; line-height: 1.45; color: #444; margin: 0 0 12px; }
svg { display: block; width: 100%; height: auto; font-size: 11.5px; fill: #222; }
svg .dim { fill: #666; font-size: 10.5px; } svg .strong { font-weight: 600; }
code { font: 13px/1.4 "SFMono-Regular", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
footer { margin-top: 56px; padding-top: 12px; border-top: 1px solid #d9d9d9; color: #666; font-size: 13px; }
@page { size: A4; margin: 18mm 17mm; }
@media print {
  body { padding: 0; max-width: none; font-size: 10.5pt; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h2 { break-after: avoid; } .keep, p, figure, .protocol, .wide, footer { break-inside: avoid; }
  thead { display: table-header-group; } .wide { overflow: visible; }
}
"""  # noqa: E501
