using Spectre.Console;
using Spectre.Console.Rendering;

namespace Ldvc.App.Terminal;

/// <summary>Cleans the texts that a Spectre console draws; its own control sequences pass.</summary>
internal sealed class CleanHook : IRenderHook
{
    /// <inheritdoc/>
    public IEnumerable<IRenderable> Process(RenderOptions options, IEnumerable<IRenderable> renderables) =>
        renderables.Select(inner => new Clean(inner));

    private sealed class Clean(IRenderable inner) : IRenderable
    {
        public Measurement Measure(RenderOptions options, int maxWidth) => inner.Measure(options, maxWidth);

        public IEnumerable<Segment> Render(RenderOptions options, int maxWidth) => inner.Render(options, maxWidth).Select(segment =>
            segment.IsControlCode || segment.IsLineBreak || TerminalText.Clean(segment.Text) is var text && text == segment.Text
                ? segment
                : new Segment(text, segment.Style));
    }
}
