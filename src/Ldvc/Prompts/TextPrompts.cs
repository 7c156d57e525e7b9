using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Clip;
using Ldvc.Tensors;

namespace Ldvc.Prompts;

/// <summary>
/// Deep language prompts (method.md 3): positions 1..K are overwritten by each layer's own prompts before every layer; one set for all classes.
/// Initialised with the frozen tower's own inputs at those positions, so that before training nothing changes.
/// </summary>
internal sealed class TextPrompts : Module
{
    private readonly Parameter _prompt;
    private StartTokens? _starts;
    private NameTokens? _names;

    /// <summary>Creates the prompts from a tokenised template whose words 1..K they replace.</summary>
    internal TextPrompts(Device device, TextTower tower, ClipConfig clip, int count, TokenBatch template)
    {
        if (template.Ends[0] < count + 1)
        {
            throw new InputException(
                $"model.prompts.text is {count}, but the template has only {template.Ends[0] - 1} tokens before the end; expected at least as many");
        }

        Count = count;
        int width = clip.Text.Width;
        var values = new float[clip.Text.Layers * count * width];
        using (var tape = new Tape(device, recording: false))
        {
            var x = tower.Embed(tape, template.Ids.AsSpan(0, template.Length), 1, template.Length);
            for (int layer = 0; layer < tower.Layers; layer++)
            {
                using var scope = tape.BeginScope();
                tape.SliceTokens(x, 1, count).Value.CopyToHost(values.AsSpan(layer * count * width, count * width));
                if (layer + 1 < tower.Layers)
                {
                    x = tape.Replace(x, scope.Keep(tower.Block(tape, layer, x)));
                }
            }
        }

        _prompt = Add("prompt", new Parameter(device.FromHost(values, new Shape(clip.Text.Layers, count, width))));
    }

    /// <summary>Creates zeroed prompts, to be read from a checkpoint.</summary>
    internal TextPrompts(Device device, ClipConfig clip, int count)
    {
        Count = count;
        _prompt = Add("prompt", new Parameter(device.Zeros(new Shape(clip.Text.Layers, count, clip.Text.Width))));
    }

    /// <summary>K.</summary>
    internal int Count { get; }

    /// <summary>Text features [C, E], not normalised.</summary>
    internal Variable Encode(Tape tape, TextTower tower, TokenBatch texts)
    {
        if (texts.Length <= Count)
        {
            throw new InputException(
                $"model.prompts.text is {Count}, but the texts have only {texts.Length} tokens; the template needs at least {Count} words");
        }

        return BeginAlike(texts) ? EncodeTogether(tape, tower, texts) : EncodeApart(tape, tower, texts);
    }

    /// <summary>Every text on its own, prompts included.</summary>
    internal Variable EncodeApart(Tape tape, TextTower tower, TokenBatch texts)
    {
        using var scope = tape.BeginScope();
        var x = tower.Embed(tape, texts.Ids, texts.Count, texts.Length);
        for (int layer = 0; layer < tower.Layers; layer++)
        {
            x = tape.Replace(x, tape.Splice(x, tape.Row(_prompt, layer), 1, Count));
            x = tape.Replace(x, tower.Block(tape, layer, x));
        }

        return scope.Keep(tower.Read(tape, x, texts.Ends));
    }

    // Start token and prompts are the same for all texts, and attention is causal: what follows from them is computed once. Five of the nine tokens
    // of "a photo of a cat" are shared so.
    private Variable EncodeTogether(Tape tape, TextTower tower, TokenBatch texts)
    {
        int shared = 1 + Count;
        using var scope = tape.BeginScope();
        var x = tape.Constant(Names(tower, texts, tape.Device).Inputs());

        // Start token and prompts before each layer. The prompts' own outputs are overwritten by the next layer's prompts.
        var prefixes = tape.Concat(tape.Constant(Starts(tower, texts.Ids[0], tape.Device).Inputs()), _prompt);
        for (int layer = 0; layer < tower.Layers; layer++)
        {
            x = tape.Replace(x, tower.Continue(tape, layer, prefixes, x));
        }

        return scope.Keep(tower.Read(tape, x, texts.Ends, shared));
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _starts?.Dispose();
        _names?.Dispose();
        (_starts, _names) = (null, null);
        base.Dispose(disposing);
    }

    private StartTokens Starts(TextTower tower, int id, Device device)
    {
        if (_starts is null || !_starts.Holds(tower, id))
        {
            _starts?.Dispose();
            _starts = null;
            _starts = new StartTokens(tower, id, device);
        }

        return _starts;
    }

    private NameTokens Names(TextTower tower, TokenBatch texts, Device device)
    {
        if (_names is null || !_names.Holds(tower, texts))
        {
            _names?.Dispose();
            _names = null;
            _names = new NameTokens(tower, texts, 1 + Count, device);
        }

        return _names;
    }

    private bool BeginAlike(TokenBatch texts)
    {
        for (int i = 0; i < texts.Count; i++)
        {
            if (texts.Ids[i * texts.Length] != texts.Ids[0] || texts.Ends[i] <= Count)
            {
                return false;
            }
        }

        return true;
    }
}
