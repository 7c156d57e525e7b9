using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Configuration;
using Ldvc.Tensors;

namespace Ldvc.Clip;

/// <summary>CLIP's vision transformer (method.md 2). Pictures of any size whose sides are multiples of the patch.</summary>
internal sealed class VisionTower : Module
{
    private readonly ClipConfig _config;
    private readonly Parameter _classEmbedding;
    private readonly Parameter _positions;
    private readonly Parameter _convolution;
    private readonly Parameter _preWeight;
    private readonly Parameter _preBias;
    private readonly ResidualBlock[] _blocks;
    private readonly Parameter _postWeight;
    private readonly Parameter _postBias;
    private readonly Parameter _projection;
    private readonly ResizedPositions _resized = new();

    internal VisionTower(IWeightSource weights, ClipConfig config)
    {
        _config = config;
        int width = config.Vision.Width, patch = config.PatchSize;
        double scale = Math.Pow(width, -0.5);
        Parameter Take(string name, Shape shape, double std, float constant = 0) => Add(name, weights.Get("visual." + name, shape, std, constant));

        _classEmbedding = Take("class_embedding", new Shape(width), scale);
        _positions = Take("positional_embedding", new Shape(1 + (config.Grid * config.Grid), width), scale);

        // PyTorch's default for convolutions is uniform with this variance.
        _convolution = Add(
            "conv1.weight", weights.GetMatrix("visual.conv1.weight", new Shape(width, 3, patch, patch), 1 / Math.Sqrt(3.0 * 3 * patch * patch)));
        _preWeight = Take("ln_pre.weight", new Shape(width), 0, 1);
        _preBias = Take("ln_pre.bias", new Shape(width), 0);
        _blocks = new ResidualBlock[config.Vision.Layers];
        for (int i = 0; i < _blocks.Length; i++)
        {
            _blocks[i] = Add($"transformer.resblocks.{i}", new ResidualBlock(weights, $"visual.transformer.resblocks.{i}.", config.Vision, false));
        }

        _postWeight = Take("ln_post.weight", new Shape(width), 0, 1);
        _postBias = Take("ln_post.bias", new Shape(width), 0);
        _projection = Add("proj", weights.GetProjection("visual.proj", config.Embedding, width, scale));
    }

    /// <summary>Number of residual blocks.</summary>
    internal int Layers => _blocks.Length;

    // Of whoever calls the package: the kernel that cuts patches sees addresses only.
    private static void CheckPictures(Tape tape, Tensor image, int patch)
    {
        ObjectDisposedException.ThrowIf(image.IsDisposed, image);
        Shape shape = image.Shape;
        bool fits = shape.Rank == 4 && shape.Count > 0 && shape[1] == 3 && shape[2] % patch == 0 && shape[3] % patch == 0;
        if (!fits || image.DType != DType.Float32)
        {
            throw new ArgumentException($"vision tower: pictures {image.DType} {shape}, expected {DType.Float32} [B, 3, H, W] with B at least 1, "
                + $"H and W multiples of {patch}");
        }

        if (image.Device != tape.Device)
        {
            throw new ArgumentException(
                $"vision tower: pictures {image}, expected a tensor on the tape's device, which is another, {tape.Device.Name}");
        }
    }

    /// <summary>
    /// Picture [B, 3, H, W], already normalised -> tokens [B, 1 + h*w, width] after ln_pre: patches, class token, resized positions.
    /// </summary>
    /// <exception cref="ArgumentException">A side is not a multiple of the patch.</exception>
    internal Variable Embed(Tape tape, Tensor image, bool classTwice = false)
    {
        int patch = _config.PatchSize;
        CheckPictures(tape, image, patch);
        int batch = image.Shape[0], height = image.Shape[2], width = image.Shape[3];
        int rows = height / patch, columns = width / patch, size = 3 * patch * patch, d = _config.Vision.Width;
        var patches = tape.Device.Empty(new Shape(batch, rows * columns, size));
        tape.Kernels.Tokens.Patchify(image, patches, batch, 3, height, width, patch);
        using var scope = tape.BeginScope();
        var embedded = tape.Linear(tape.Constant(patches), tape.Reshape(_convolution, d, size), null);
        var token = tape.Reshape(_classEmbedding, 1, d);
        var placed = tape.AddRows(tape.Splice(embedded, token, 0, 0), Positions(rows, columns, tape.Recording));
        var tokens = classTwice ? AddClassTokenAgain(tape, placed, token) : placed;
        return scope.Keep(tape.LayerNorm(tokens, _preWeight, _preBias, _config.Vision.NormEpsilon));
    }

    /// <summary>Runs block `layer`.</summary>
    internal Variable Block(Tape tape, int layer, Variable x) => _blocks[layer].Forward(tape, x);

    /// <summary>Tokens [B, T, width] -> ln_post and projection -> [B, T, E].</summary>
    internal Variable Project(Tape tape, Variable x)
    {
        using var scope = tape.BeginScope();
        return scope.Keep(tape.Linear(tape.LayerNorm(x, _postWeight, _postBias, _config.Vision.NormEpsilon), _projection, null));
    }

    /// <summary>CLIP's picture feature: the class token, projected, not normalised -> [B, E].</summary>
    internal Variable Encode(Tape tape, Tensor image, Action<int, Variable>? observe = null)
    {
        using var scope = tape.BeginScope();
        var token = tape.SliceTokens(Tokens(tape, image, observe), 0, 1);
        var projected = Project(tape, token);
        return scope.Keep(tape.Reshape(projected, projected.Shape[0], _config.Embedding));
    }

    /// <summary>The class token and all patches, projected and of unit length -> [B, E] and [B, N, E].</summary>
    internal (Variable Class, Variable Patches) EncodeDense(Tape tape, Tensor image)
    {
        using var scope = tape.BeginScope();
        var projected = Project(tape, Tokens(tape, image, null));
        var token = tape.Reshape(tape.SliceTokens(projected, 0, 1), projected.Shape[0], _config.Embedding);
        var patches = tape.SliceTokens(projected, 1, projected.Shape[1] - 1);
        return (scope.Keep(tape.L2Normalize(token)), scope.Keep(tape.L2Normalize(patches)));
    }

    /// <summary>All patches, projected and of unit length [B, N, E], with the last block as <see cref="ResidualBlock.Compare"/> has it.</summary>
    internal Variable EncodePatches(Tape tape, Tensor image, SelfSimilarity similarity, bool residual)
    {
        using var scope = tape.BeginScope();
        var x = Embed(tape, image);
        for (int i = 0; i + 1 < _blocks.Length; i++)
        {
            x = tape.Replace(x, Block(tape, i, x));
        }

        x = tape.Replace(x, _blocks[^1].Compare(tape, x, similarity, residual));
        return scope.Keep(tape.L2Normalize(Project(tape, tape.SliceTokens(x, 1, x.Shape[1] - 1))));
    }

    protected override void Dispose(bool disposing)
    {
        _resized.Dispose();
        base.Dispose(disposing);
    }

    // ZegCLIP adds the class embedding a second time (option cls_twice).
    private Variable AddClassTokenAgain(Tape tape, Variable x, Variable token)
    {
        using var scope = tape.BeginScope();
        var doubled = tape.AddRows(tape.SliceTokens(x, 0, 1), token);
        return scope.Keep(tape.Concat(doubled, tape.SliceTokens(x, 1, x.Shape[1] - 1)));
    }

    private Variable Tokens(Tape tape, Tensor image, Action<int, Variable>? observe)
    {
        var x = Embed(tape, image);
        for (int i = 0; i < _blocks.Length; i++)
        {
            x = tape.Replace(x, Block(tape, i, x));
            observe?.Invoke(i, x);
        }

        return x;
    }

    private Parameter Positions(int rows, int columns, bool training)
    {
        if (rows == _config.Grid && columns == _config.Grid)
        {
            return _positions;
        }

        if (_positions.Trainable)
        {
            throw new InvalidOperationException("position embeddings can be trained at the checkpoint's own picture size only");
        }

        return _resized.Get(rows, columns, training, () =>
        {
            var values = PositionEmbedding.Resize(_positions.Value.ToArray(), _config.Grid, rows, columns, _config.Vision.Width);
            var shape = new Shape(1 + (rows * columns), _config.Vision.Width);
            return new Parameter(_positions.Value.Device.FromHost(values, shape), trainable: false);
        });
    }
}
