using System.Net;
using System.Text;

namespace Ldvc.Bench.Profile;

/// <summary>A page with the step along a time axis: phases above, kernels below; a bar's tooltip names it.</summary>
internal static class StepPage
{
    internal static string Html(KernelRecorder recorder, string name)
    {
        double total = recorder.Phases[^1].End;
        var page = new StringBuilder();
        page.Append(
            $$"""
            <!doctype html><meta charset="utf-8"><title>{{name}}</title>
            <style>body{font:13px sans-serif;margin:1em}.row{position:relative;height:28px;margin:2px 0;background:#eee;width:6000px}
            .row div{position:absolute;top:0;bottom:0;overflow:hidden;white-space:nowrap;font-size:10px;line-height:28px;border-right:1px solid #fff;box-sizing:border-box}</style>
            <h1>{{name}}: {{total * 1e3:F0}} ms</h1>
            """);
        Row(page, recorder.Phases, total);
        Row(page, recorder.Calls, total);
        return page.ToString();
    }

    private static void Row(StringBuilder page, List<KernelCall> calls, double total)
    {
        page.Append("<div class=\"row\">");
        foreach (var call in calls)
        {
            string text = WebUtility.HtmlEncode($"{call.Kernel} {call.Detail} {call.Seconds * 1e3:F2} ms");

            // Stable colour by name, the same in every report.
            int hue = call.Kernel.Aggregate(7, (h, c) => ((h * 31) + c) % 360);
            page.Append($"<div title=\"{text}\" style=\"left:{call.Start / total:P3};width:{call.Seconds / total:P3};background:hsl({hue},60%,75%)\">{text}</div>");
        }

        page.Append("</div>\n");
    }
}
