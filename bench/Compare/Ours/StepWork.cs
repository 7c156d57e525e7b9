using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Autograd.Optimizers;
using Ldvc.Bench.Profile;
using Ldvc.Clip;
using Ldvc.Kernels;
using Ldvc.Kernels.Devices;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tensors.Gpu;
using Ldvc.Tensors.Gpu.Graphs;

namespace Ldvc.Bench.Compare.Ours;

/// <summary>One LDVC training step: texts and picture through both prompted towers, decoder, loss, backward, AdamW.</summary>
internal sealed class StepWork : OurWork
{
    private readonly ClipModel _clip;
    private readonly string _folder;
    private readonly int _prompts;
    private readonly Tensor _image;
    private readonly Tensor _labels;
    private readonly TokenBatch _texts;
    private LdvcModel? _model;
    private AdamW? _optimizer;
    private KernelRecorder? _recorder;
    private readonly StepGraphs _graphs;
    private readonly bool _graph;
    private bool _graphed;
    private ulong _step;

    /// <summary>Creates it.</summary>
    /// <param name="case">Sizes.</param>
    /// <param name="folder">Weights and inputs.</param>
    /// <param name="on">Where it computes.</param>
    /// <param name="graph">Whether a step is started as one CUDA graph; one that cannot be is an error.</param>
    internal StepWork(PeerCase @case, string folder, WorkDevice on, bool graph)
        : base(folder, on)
    {
        IGraphDriver? driver = graph ? CudaGraphs.Of(Device) : null;
        if (graph && driver is null)
        {
            throw new InputException($"{PeerCases.Graph}: expected --device cuda, got {Device.Name}");
        }

        if (driver?.Missing is { } missing)
        {
            throw new InputException($"{PeerCases.Graph}: {missing}");
        }

        _graph = graph;
        _graphs = new StepGraphs(Device, driver, required: true, Console.Error.WriteLine);
        using (var archive = Clip())
        {
            _clip = new ClipModel(new FileWeights(archive, Device), PeerData.ViTB16);
        }

        (_folder, _prompts, _image) = (folder, @case["prompts"], Input("image"));
        _labels = Device.FromHost(Array.ConvertAll(Integers("labels"), l => (byte)l), new Shape(@case.Batch, @case["size"], @case["size"]));
        _texts = TokenBatch.Create(Integers("ids"), @case["classes"]);
    }

    public override bool IsSettled => !_graph || _graphed;

    // Dropout draws differ from engine to engine, so outputs are compared without it; the clock runs with it.
    public override IReadOnlyList<Named> Check()
    {
        using var model = Model(0);
        var outputs = Once(model, true, _step++, stored: false);
        outputs.AddRange(Gradients(model.Parameters()));
        return outputs;
    }

    public override void Run()
    {
        _model ??= Model(0.1);
        _optimizer ??= new AdamW(_model.Parameters(), 0.9f, 0.999f, 1e-8f, _ => 0.01f);
        Take();
    }

    /// <summary>One step with a stopwatch around every kernel.</summary>
    internal override KernelRecorder Record()
    {
        var recorder = new KernelRecorder();
        using (recorder.Attach(Device))
        {
            _recorder = recorder;
            Take();
            recorder.EndPhase("optimiser");
            _recorder = null;
        }

        return recorder;
    }

    public override void Dispose()
    {
        _graphs.Dispose();
        _optimizer?.Dispose();
        _model?.Dispose();
        _clip.Dispose();
        base.Dispose();
    }

    // What changes from step to step goes to the device first, as in training; the rest may be a graph.
    private void Take()
    {
        StepState? state = KernelSet.For(Device).State;
        ulong seed = _step++;
        var numbers = _optimizer!.Numbers(1e-5f, 1f);
        state?.Write(Tape.StreamOf(seed), numbers);
        using GraphedStep step = _graphs.Begin("step");
        step.Run("step", Body, _optimizer.ClearGradients);
        step.Complete();
        _graphed = step.HasGraphs;
        _optimizer.ClearGradients();
        _optimizer.Steps++;

        Stream Body()
        {
            Once(_model!, false, seed, state is not null);
            _optimizer.Update(numbers, state is not null);
            return Stream.Null;
        }
    }

    private LdvcModel Model(double dropout)
    {
        var model = Models.Full(_clip, _prompts, dropout);
        Models.Fill(model, _folder, string.Empty);
        return model;
    }

    private List<Named> Once(LdvcModel model, bool check, ulong seed, bool stored)
    {
        using var tape = new Tape(Device, recording: true, seed) { KeysAreStored = stored };
        using var classes = model.EncodeClasses(tape, _texts);
        _recorder?.EndPhase("texts");
        var (token, patches) = model.EncodeImage(tape, _image);
        _recorder?.EndPhase("picture");
        using var logits = model.Decode(tape, token, patches, classes, _image.Shape[2] / 16, _image.Shape[3] / 16);
        token.Dispose();
        patches.Dispose();
        _recorder?.EndPhase("decoder");
        using var total = tape.MaskLoss(logits, _labels, 100, 1, 0.25f, out var parts);
        using (parts)
        {
            List<Named> outputs = check ? [Out("logits", logits.Value), Out("loss", parts)] : [];
            _recorder?.EndPhase("loss");
            tape.Backward(total);
            _recorder?.EndPhase("backward");
            return outputs;
        }
    }
}
