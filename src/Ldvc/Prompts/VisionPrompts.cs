using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Clip;
using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.Prompts;

/// <summary>
/// Deep visual prompts (method.md 2.2) around the frozen vision tower: M tokens between the class token and the patches, replaced before every later
/// layer, all through one shared linear projection; then a trainable layer norm over all tokens.
/// </summary>
internal sealed class VisionPrompts : Module
{
    private const float NormEpsilon = 1e-6f;
    private readonly int _count;
    private readonly float _dropout;
    private readonly bool _dropoutPerPicture;
    private readonly Parameter? _shallow;
    private readonly Parameter? _deep;
    private readonly Linear? _projection;
    private readonly LayerNorm _norm;

    internal VisionPrompts(Initializer init, Clip.ClipConfig clip, PromptConfig config)
    {
        int count = config.Vision;
        (_count, _dropout, _dropoutPerPicture) = (count, (float)config.Dropout, config.DropoutPer == PromptDropout.Picture);
        int width = clip.Vision.Width;
        if (count > 0)
        {
            double bound = Math.Sqrt(6.0 / ((3 * clip.PatchSize * clip.PatchSize) + width));
            _shallow = Add("shallow", init.Uniform(new Shape(count, width), bound));
            if (clip.Vision.Layers > 1)
            {
                _deep = Add("deep", init.Uniform(new Shape(clip.Vision.Layers - 1, count, width), bound));
            }

            _projection = Add("proj", new Linear(init, width, width));

            // Kaiming normal, fan_out, for a ReLU: standard deviation sqrt(2 / outputs).
            using var weight = init.Normal(new Shape(width, width), Math.Sqrt(2.0 / width));
            _projection.Weight.Value.CopyFrom(weight.Value);
        }

        _norm = Add("norm", new LayerNorm(init, width, NormEpsilon));
    }

    /// <summary>
    /// Picture [B, 3, H, W] -> g [B, E] (class token) and V [B, N, E] (patches), both of unit length (method.md 2.3).
    /// </summary>
    internal (Variable Class, Variable Patches) Encode(Tape tape, VisionTower tower, Tensor image, bool classTwice)
    {
        using var scope = tape.BeginScope();
        var stack = _count > 0 && tape.Device.StartsAreDear && !DropsPerPicture(tape) ? ProjectAll(tape) : null;
        var x = tower.Embed(tape, image, classTwice);
        for (int layer = 0; layer < tower.Layers; layer++)
        {
            if (stack is not null)
            {
                x = tape.Replace(x, tape.SpliceRow(x, stack, layer, 1, layer == 0 ? 0 : _count));
            }
            else if (_count > 0)
            {
                x = tape.Replace(x, Insert(tape, x, layer));
            }

            x = tape.Replace(x, tower.Block(tape, layer, x));
        }

        x = tape.Replace(x, _norm.Forward(tape, x));
        var projected = tower.Project(tape, x);
        int first = 1 + _count;
        var token = tape.Reshape(tape.SliceTokens(projected, 0, 1), projected.Shape[0], projected.Shape[2]);
        var patches = tape.SliceTokens(projected, first, projected.Shape[1] - first);
        return (scope.Keep(tape.L2Normalize(token)), scope.Keep(tape.L2Normalize(patches)));
    }

    private bool DropsPerPicture(Tape tape) => _dropoutPerPicture && _dropout > 0 && tape.Recording;

    // The prompts of all layers [layers, M, width] at once; the same elements are dropped as one layer after the other.
    private Variable ProjectAll(Tape tape)
    {
        using var scope = tape.BeginScope();
        int width = _shallow!.Shape[1];
        var first = tape.Reshape(_shallow, 1, _count, width);
        var all = _deep is null ? first : tape.Concat([first, _deep], 0);
        return scope.Keep(tape.DropoutEach(_projection!.Forward(tape, all), _dropout));
    }

    private Variable Insert(Tape tape, Variable x, int layer)
    {
        using var scope = tape.BeginScope();
        var tokens = layer == 0 ? tape.Reshape(_shallow!, _count, x.Shape[2]) : tape.Row(_deep!, layer - 1);
        var projected = _projection!.Forward(tape, tokens);
        bool perPicture = DropsPerPicture(tape);
        if (perPicture)
        {
            projected = tape.Add(projected, tape.Constant(tape.Device.Zeros(new Shape(x.Shape[0], 1, 1))));
        }

        var dropped = tape.Dropout(projected, _dropout, shared: !perPicture);
        return scope.Keep(tape.Splice(x, dropped, 1, layer == 0 ? 0 : _count));
    }
}
