"""The look of the suite's pages: one style sheet, light and dark."""

STYLE = """
:root { color-scheme: light dark; --ink: #1c1d20; --paper: #fbfaf8; --line: #dcd9d3; --soft: #6d6a64; --good: #146c43;
  --bad: #a1341f; --card: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e6e1; --paper: #17181a; --line: #35363a; --soft: #a19d95;
  --good: #6fcf97; --bad: #f0907a; --card: #1f2023; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1720px; padding: 24px 28px 80px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 40px 0 8px; } h3 { font-size: 15px; }
p, .soft { color: var(--soft); max-width: 90ch; } code { font-size: 13px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13.5px; }
th, td { padding: 5px 9px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { font-weight: 600; vertical-align: bottom; white-space: normal; max-width: 12ch; }
th small { font-weight: 400; color: var(--soft); } th:first-child, td:first-child { text-align: left; }
td small { display: block; color: var(--soft); font-size: 11.5px; } td.best { font-weight: 700; }
td.win { color: var(--good); } td.loss { color: var(--bad); }
.case { margin: 18px 0 30px; } .case h3 { margin: 0 0 6px; }
.strip { display: grid; grid-template-columns: repeat(auto-fill, minmax(180px, 1fr)); gap: 10px; }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 6px; overflow: hidden; }
figure img { display: block; width: 100%; height: auto; } figcaption { padding: 5px 8px; font-size: 12.5px; }
figcaption small { color: var(--soft); }
.charts { display: flex; flex-wrap: wrap; gap: 28px; } svg text { fill: currentColor; font-size: 11px; }
"""
