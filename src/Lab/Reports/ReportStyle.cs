namespace Ldvc.Lab.Reports;

/// <summary>The style sheet of a report: readable in light and dark, on paper and on a telephone.</summary>
internal static class ReportStyle
{
    /// <summary>Contents of the style element.</summary>
    public const string Css = """
        :root { color-scheme: light dark; --page: #f6f7f9; --panel: #ffffff; --text: #1c2330; --soft: #5d6878; --line: #dde2ea; --accent: #2563c9;
          --seen: #4a83d6; --unseen: #e08a2e; --track: #e9edf3; --s0: #2563c9; --s1: #d9761a; --s2: #2f9158; --s3: #a3459f; --s4: #b8433f; --s5: #5f6b7a; }
        @media (prefers-color-scheme: dark) { :root { --page: #12161d; --panel: #1a202a; --text: #e4e9f1; --soft: #98a4b5; --line: #2e3745; --accent: #7db0ff;
          --seen: #5f97e6; --unseen: #eda04d; --track: #28303d; --s0: #7db0ff; --s1: #f2a65a; --s2: #6cc993; --s3: #d58ad1; --s4: #ef8783; --s5: #a9b4c2; } }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
        main { max-width: 1060px; margin: 0 auto; padding: 40px 24px 64px; }
        h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 6px; letter-spacing: -0.01em; }
        .subtitle { color: var(--soft); margin: 0 0 28px; }
        h1, h2, p, figcaption, .label, .value, .note { overflow-wrap: anywhere; }
        h2 { font-size: 1.25rem; margin: 40px 0 12px; }
        p { max-width: 74ch; margin: 0 0 14px; }
        .cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(168px, 1fr)); gap: 14px; margin: 0 0 20px; }
        .card { background: var(--panel); border: 1px solid var(--line); border-radius: 12px; padding: 14px 18px; }
        .card.main { border-color: var(--accent); box-shadow: inset 0 3px 0 var(--accent); }
        .card .label { color: var(--soft); font-size: 0.85rem; }
        .card .value { font-size: 1.9rem; font-weight: 650; line-height: 1.25; font-variant-numeric: tabular-nums; }
        .card .note { color: var(--soft); font-size: 0.82rem; }
        .panel { background: var(--panel); border: 1px solid var(--line); border-radius: 12px; padding: 6px 18px 10px; margin: 0 0 20px; overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
        caption { text-align: left; color: var(--soft); font-size: 0.88rem; padding: 8px 0 6px; }
        th, td { padding: 7px 14px 7px 0; text-align: left; border-top: 1px solid var(--line); vertical-align: middle; }
        thead th { border-top: none; color: var(--soft); font-weight: 550; font-size: 0.85rem; }
        th.number, td.number { text-align: right; white-space: nowrap; }
        th:last-child, td:last-child { padding-right: 0; }
        td:first-child { min-width: 8em; overflow-wrap: anywhere; }
        td.wide { width: 46%; min-width: 5em; }
        .track { background: var(--track); border-radius: 5px; height: 10px; overflow: hidden; }
        .track div { height: 100%; border-radius: 5px; background: var(--seen); }
        .track div.unseen { background: var(--unseen); }
        .tag { display: inline-block; white-space: nowrap; border-radius: 99px; padding: 0 9px; font-size: 0.76rem; border: 1px solid var(--seen); color: var(--soft); }
        .tag.unseen { border-color: var(--unseen); }
        figure { margin: 0 0 18px; background: var(--panel); border: 1px solid var(--line); border-radius: 12px; padding: 14px 18px; overflow-x: auto; }
        figcaption { color: var(--soft); font-size: 0.88rem; }
        .pictures { display: grid; grid-template-columns: repeat(var(--columns), minmax(0, 230px)); gap: 14px; margin: 0 0 8px; }
        .picture img { display: block; width: 100%; height: auto; border-radius: 8px; background: var(--track); }
        .picture img.small { image-rendering: pixelated; }
        .picture div { font-size: 0.84rem; margin-top: 5px; }
        .choices input { position: absolute; opacity: 0; pointer-events: none; }
        .choices:focus-within { outline: 2px solid var(--accent); outline-offset: 6px; border-radius: 6px; }
        .picture .map { position: relative; margin: 0; }
        .map svg { position: absolute; inset: 0; width: 100%; height: 100%; border-radius: 8px; }
        .map g { display: none; } .map path { fill: #000; fill-opacity: 0.72; }
        .map path.own { fill: none; stroke: #ff2828; stroke-width: 3; vector-effect: non-scaling-stroke; }
        .map label { position: absolute; cursor: pointer; } .map label:hover { box-shadow: inset 0 0 0 2px #ffffffb0; }
        .legend { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 0.85rem; color: var(--soft); margin: 0 0 12px; } .legend span { min-width: 0; overflow-wrap: anywhere; }
        .legend i { display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-right: 6px; vertical-align: -1px; border: 1px solid var(--line); }
        svg.plot { display: block; width: 100%; height: auto; font-size: 12px; }
        svg.plot text { fill: var(--soft); }
        svg.plot .grid { stroke: var(--line); stroke-width: 1; }
        svg.plot .axis { stroke: var(--soft); stroke-width: 1; }
        svg.plot .line { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
        svg.plot .band { stroke: none; fill-opacity: 0.16; }
        .band.s0 { fill: var(--s0); } .band.s1 { fill: var(--s1); } .band.s2 { fill: var(--s2); }
        .band.s3 { fill: var(--s3); } .band.s4 { fill: var(--s4); } .band.s5 { fill: var(--s5); }
        .s0 { stroke: var(--s0); } .s1 { stroke: var(--s1); } .s2 { stroke: var(--s2); } .s3 { stroke: var(--s3); } .s4 { stroke: var(--s4); } .s5 { stroke: var(--s5); }
        i.s0 { background: var(--s0); } i.s1 { background: var(--s1); } i.s2 { background: var(--s2); }
        i.s3 { background: var(--s3); } i.s4 { background: var(--s4); } i.s5 { background: var(--s5); }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: 6px 22px; margin: 8px 0; }
        dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
        code { font: 0.88em/1.5 ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; }
        @media (max-width: 640px) { .pictures { grid-template-columns: 1fr 1fr; } svg.plot { min-width: 560px; } main { padding: 28px 14px 48px; } }
        @media print { body { background: none; } figure, .card, tr { break-inside: avoid; } }
        """;
}
