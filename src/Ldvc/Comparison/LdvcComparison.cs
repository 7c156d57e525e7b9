using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Clip;
using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Kernels.Labels;
using Ldvc.Model;
using Ldvc.Tensors;

namespace Ldvc.Comparison;

/// <summary>Reruns one LDVC training step, forward and backward, without dropout, on the parameters and inputs of a reference file.</summary>
internal static class LdvcComparison
{
    // Gradients are compared against their tensor's largest value, but never against less than this share of the file's largest gradient: the
    // gradient of a key bias is zero here and rounding noise in PyTorch.
    private const double GradientFloor = 1e-4;

    internal static void Run(ReferenceFile file, ClipModel clip, Device device, ComparisonTolerance tolerance)
    {
        var options = LdvcReferenceOptions.Read(file, clip.Config);
        using var model = new LdvcModel(clip, options, new Initializer(device, 0), null);
        Load(file, model);
        var sentences = file.Texts(clip.Config, truncate: true);
        if (sentences.Length <= options.Prompts.Text)
        {
            throw new InputException(
                $"{file.Path}: tensor 'ids' has texts of at most {sentences.Length} tokens, expected more than the {options.Prompts.Text} text "
                    + "prompts.");
        }

        using var image = file.Picture(device, "image", clip.Config);
        using var labels = Labels(file, device, image.Shape, sentences.Count);
        var loss = new LossConfig();
        using var tape = new Tape(device, recording: true);
        var texts = model.EncodeClasses(tape, sentences);
        file.Check("text_embeddings", texts.Value);
        var (token, patches) = model.EncodeImage(tape, image);
        file.Check("class_embedding", token.Value);
        file.Check("patch_embeddings", patches.Value);
        int patch = clip.Config.PatchSize;
        var logits = model.Decode(tape, token, patches, texts, image.Shape[2] / patch, image.Shape[3] / patch);
        file.Check("mask_logits", logits.Value);
        var total = tape.MaskLoss(logits, labels, (float)loss.Focal, (float)loss.Dice, (float)loss.Alpha, out var parts);
        using (parts)
        {
            file.Check("loss", parts);
        }

        tape.Backward(total);
        CompareGradients(file, model, tolerance);
        file.RequireAllCompared(name => name is "image" or "ids" or "labels" || name.StartsWith("param.", StringComparison.Ordinal));
    }

    private static void Load(ReferenceFile file, LdvcModel model)
    {
        var names = new HashSet<string>();
        foreach (var (name, parameter) in model.Parameters())
        {
            string key = "param." + name;
            names.Add(key);
            var shape = file.ShapeOf(key, parameter.Shape.Rank);
            if (shape != parameter.Shape)
            {
                throw new InputException(
                    $"{file.Path}: tensor '{key}' has shape {shape}, but this CLIP and the file's options give {parameter.Shape}.");
            }

            parameter.Value.CopyFromHost<float>(file.FiniteFloats(key));
        }

        foreach (string key in file.Entries.Keys)
        {
            if (key.StartsWith("param.", StringComparison.Ordinal) && !names.Contains(key))
            {
                throw new InputException($"{file.Path}: tensor '{key}' is no parameter of the model that the file's options describe.");
            }
        }
    }

    private static Tensor Labels(ReferenceFile file, Device device, Shape image, int classes)
    {
        var shape = file.ShapeOf("labels", 3);
        var wanted = new Shape(image[0], image[2], image[3]);
        if (shape != wanted)
        {
            throw new InputException($"{file.Path}: tensor 'labels' has shape {shape}, expected {wanted} as 'image' has it.");
        }

        if (classes > LabelWidth.WideNone)
        {
            throw new InputException($"{file.Path}: tensor 'ids' has {classes} texts, expected at most {LabelWidth.WideNone} classes.");
        }

        int[] values = file.Ints("labels");
        int wrong = Array.FindIndex(values, label => label != LabelMap.Ignore && (label < 0 || label >= classes));
        if (wrong >= 0)
        {
            throw new InputException(
                $"{file.Path}: tensor 'labels' holds {values[wrong]}, expected one of the {classes} classes that 'ids' has texts of, counted from 0, "
                    + $"or {LabelMap.Ignore} for none.");
        }

        // The format has one number for "none", however many classes there are; in the loss's wide labels it is a class.
        return classes <= LabelWidth.MaxInBytes
            ? device.FromHost(Array.ConvertAll(values, label => (byte)label), shape)
            : device.FromHost(Array.ConvertAll(values, label => label == LabelMap.Ignore ? LabelWidth.WideNone : label), shape);
    }

    private static void CompareGradients(ReferenceFile file, LdvcModel model, ComparisonTolerance tolerance)
    {
        double largest = 0;
        foreach (string key in file.Entries.Keys)
        {
            if (key.StartsWith("grad.", StringComparison.Ordinal))
            {
                foreach (float value in file.Floats(key))
                {
                    // NaN in one gradient says nothing about the others.
                    largest = float.IsFinite(value) ? Math.Max(largest, Math.Abs(value)) : largest;
                }
            }
        }

        foreach (var (name, parameter) in model.Parameters())
        {
            string key = "grad." + name;
            if (file.Has(key))
            {
                float[] actual = parameter.Gradient?.ToArray() ?? new float[parameter.Value.Count];
                file.Check(key, parameter.Shape, actual, GradientFloor * largest, tolerance.OfGradient(name));
            }
        }
    }
}
