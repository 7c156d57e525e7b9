using System.Text.Json;
using ILGPU.Runtime.OpenCL;
using Ldvc.App.Cli;
using Ldvc.App.Terminal;
using Ldvc.Autograd;
using Ldvc.Autograd.Ops;
using Ldvc.Kernels.Simd;
using Ldvc.Tensors;
using Ldvc.Tests.Configuration;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Cli;

public sealed class ApplicationTests
{
    private static readonly string[] Verbs = ["demo", "train", "check", "eval", "segment", "serve", "embed", "compare", "pretrain", "ablate",
        "convert", "export", "import", "doctor", "config"];

    [Theory]
    [InlineData("trian x.yaml", "there is no verb 'trian'; did you mean train? (see: ldvc --help)")]
    [InlineData("TRAIN x.yaml", "there is no verb 'TRAIN'; did you mean train? (see: ldvc --help)")]
    [InlineData("help", "there is no verb 'help'; did you mean --help? (see: ldvc --help)")]
    [InlineData("version", "there is no verb 'version'; did you mean --version? (see: ldvc --help)")]
    [InlineData("-- train x.yaml", "there is no verb 'train' (see: ldvc --help)")]
    [InlineData("--HELP", "there is no option '--HELP'; did you mean --help? (see: ldvc --help)")]
    [InlineData("frobnicate", "there is no verb 'frobnicate' (see: ldvc --help)")]
    [InlineData("--frobnicate", "there is no option '--frobnicate'")]
    [InlineData("train", "'CONFIG'")]
    [InlineData("train x.yaml --sett a=b", "there is no option '--sett'; did you mean --set? (see: ldvc train --help)")]
    [InlineData("train x.yaml --set", "--set")]
    [InlineData("config x.yaml y.yaml", "expected no further argument, found 'y.yaml'")]
    [InlineData("config none.yaml", "none.yaml: expected a configuration file, but there is none.")]
    [InlineData("eval x.yaml", "eval: expected --checkpoint F or --training-free, found neither")]
    [InlineData("segment", "(see: ldvc segment --help)")]
    [InlineData("segment a.png --checkpoint c --out o", "segment: expected --classes NAMES or --classes-file F, found neither.")]
    [InlineData("segment a.png --checkpoint c --out o --classes a,,b", "--classes: expected class names separated by commas, found 'a,,b'")]
    [InlineData("segment a.png --checkpoint c --out o --classes a,b,a", "--classes: class name 'a' stands twice (as class 0 and 2)")]
    [InlineData("segment a.png --checkpoint c --out o --classes a --background 1.5", "--background: expected a number from 0 to 1, found '1.5'")]
    [InlineData("segment a.png --checkpoint c --out o --classes a --background nan", "--background: expected a number from 0 to 1, found 'nan'")]
    [InlineData("embed --clip c --out f", "expected at least one --image or --text, found none")]
    [InlineData("embed --image a --out f", "'--clip' is required")]
    [InlineData("compare --clip c --reference r --tolerance -1", "--tolerance: expected a number of at least 0, found '-1'")]
    [InlineData("compare --clip c --reference r --tolerance x", "--tolerance: expected a number of at least 0, found 'x'")]
    [InlineData("convert --clip c", "'--out' is required")]
    [InlineData("ablate c --sweeps topk,depth", "--sweeps: expected none or names out of topk, windows, text_prompts, vision_prompts, heads, "
        + "penalties, found 'depth'")]
    [InlineData("doctor --device gpu", "--device: expected cpu, cuda, cuda:1, opencl, opencl:1 or simulator, found 'gpu'")]
    [InlineData("doctor --device cuda:-1", "--device: expected cpu")]
    [InlineData("doctor --device cpu:0", "--device: expected cpu")]
    [InlineData("compare --device opencl:99 --clip a --reference b", "device opencl:99: ")]
    [InlineData("doctor --threads x", "--threads: expected a whole number of at least 0, found 'x'")]
    [InlineData("doctor --threads 100000", "--threads: expected at most ")]
    [InlineData("doctor --seed -1", "--seed: expected a whole number of at least 0, found '-1'")]
    [InlineData("doctor --json", "--json")]
    [InlineData("embed --clip c --text cat --tuncate --out f", "there is no option '--tuncate'; did you mean --truncate? (see: ldvc embed --help)")]
    [InlineData("embed --clip c --image a.png -trunc --out f", "there is no option '-trunc'")]
    [InlineData("embed --clip c --text a --templat=b --out f", "there is no option '--templat'; did you mean --template?")]
    [InlineData("segment a.png --classes --ignroe-classes --out o", "there is no option '--ignroe-classes'; did you mean --ignore-classes?")]
    [InlineData("train --resum c.yaml --set --resume", "there is no option '--resum'; did you mean --resume?")]
    [InlineData("serve --host --prot", "there is no option '--prot'; did you mean --port?")]
    [InlineData("embed --clip none --text=--tuncate --out f", "none: no such file or folder")]
    [InlineData("embed --clip c --text a --out --truncate", "--out: expected a value, found the option '--truncate' (a value that begins so is "
        + "written --out=--truncate)")]
    [InlineData("segment a.png --clip c --classes a --out --skip-existing", "--out: expected a value, found the option '--skip-existing'")]
    [InlineData("segment a.png --clip c --classes --json=x --out o", "--classes: expected a value, found the option '--json=x'")]
    [InlineData("embed --clip none --text=--truncate --out f", "none: no such file or folder")]
    [InlineData("embed --clip none --text -5 --out f", "none: no such file or folder")]
    [InlineData("demo --pictures 3,2", "--pictures: expected --write-data DIR beside it")]
    [InlineData("demo --write-data d --out e", "--out: expected none beside --write-data")]
    [InlineData("check $LDVC_NOT_SET/c.yaml", "CONFIG: the environment variable LDVC_NOT_SET in")]
    [InlineData("segment a.png --clip c --out o --classes-file $LDVC_NOT_SET/c", "--classes-file: the environment variable LDVC_NOT_SET in")]
    [InlineData("import f --clip c --out o.safetensors --classes-file $LDVC_NOT_SET/c", "--classes-file: the environment variable LDVC_NOT_SET in")]
    [InlineData("demo --write-data ~nobody/c", "--write-data: the home folder of another user, '~nobody', is not looked up")]
    [InlineData("demo --write-data $LDVC_NOT_SET/c", "--write-data: the environment variable LDVC_NOT_SET in")]
    public void BadCommandLinesEndWithOneSentence(string line, string expected) =>
        Assert.Contains(expected, CommandLine.Refuses(line.Split(' ')));

    [Fact]
    public void EmptyValuesAreRefused()
    {
        Assert.Contains("CONFIG: expected a value, found nothing", CommandLine.Refuses("config", ""));
        Assert.Contains("--clip: expected a value, found nothing", CommandLine.Refuses("convert", "--clip", " ", "--out", "x"));
        Assert.Contains("--json: expected a value, found nothing", CommandLine.Refuses("doctor", "--json", ""));
    }

    [Fact]
    public void HelpListsExactlyTheVerbs()
    {
        (int code, string output, string error) = CommandLine.Run("--help");
        Assert.Equal((0, ""), (code, error));
        string[] listed = [.. output[output.IndexOf("Commands:", StringComparison.Ordinal)..].Split('\n').Skip(1)
            .Where(l => l.StartsWith("  ", StringComparison.Ordinal) && l.Length > 2 && l[2] != ' ').Select(l => l.Trim().Split(' ')[0])];
        Assert.Equal(Verbs, listed);
        Assert.Equal(output, CommandLine.Run().Out);
    }

    [Fact]
    public void EveryVerbExplainsItselfAndHasTheCommonOptions()
    {
        foreach (string verb in Verbs)
        {
            (int code, string output, string error) = CommandLine.Run(verb, "--help");
            Assert.Equal((0, ""), (code, error));
            Assert.All(
                ["--device", "--threads", "--seed", "--json", "Example:\n  ldvc " + verb],
                part => Assert.Contains(part, output.ReplaceLineEndings("\n")));
            Assert.DoesNotContain('\u001b', output);
        }
    }

    [Fact]
    public void VersionIsOneLine() => Assert.Matches(@"^ldvc \d+\.\d+\.\d+\s*$", CommandLine.Run("--version").Out);

    [Fact]
    public void ConfigPrintsWhatReadsBack()
    {
        using var folder = new TempFolder();
        string file = Path.Combine(ConfigFiles.Repository, "configs", "voc", "zegclip.yaml");
        string json = folder.File("c.json");
        (int code, string output, string error) = CommandLine.Run(
            "config", file, "--set", "train.batch=4", "--set", "augment.flip=0", "--seed", "7", "--json", json);
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("\n  batch: 4\n", output);
        Assert.Contains("\n  seed: 7\n", output);
        Assert.Contains("    kind: class-query\n", output);

        File.WriteAllText(folder.File("again.yaml"), output);
        Assert.Equal(output, CommandLine.Run("config", folder.File("again.yaml")).Out);

        JsonElement root = JsonDocument.Parse(File.ReadAllText(json)).RootElement;
        Assert.Equal(4, root.GetProperty("train").GetProperty("batch").GetInt32());
        Assert.Equal("class-query", root.GetProperty("model").GetProperty("decoder").GetProperty("kind").GetString());
        Assert.Equal(JsonValueKind.Null, root.GetProperty("data").GetProperty("root").ValueKind);
    }

    [Fact]
    public void DoctorNamesEveryDeviceAndWhy()
    {
        using var folder = new TempFolder();
        (int code, string output, string error) = CommandLine.Run("doctor", "--threads", "2", "--json", folder.File("d.json"));
        Assert.Equal((0, ""), (code, error));
        Assert.Matches(@"device cpu +ok +2 threads, (128|256|512)-bit vectors", output);
        Assert.Matches(@"device cuda +(no|ok) .*driver: .*(libcuda|nvcuda)", output);
        Assert.Matches(@"device opencl +(no|ok) .*driver: .*OpenCL", output);
        Assert.Matches(@"device simulator +ok", output);
        Assert.Matches(@"image codecs +ok +SkiaSharp", output);
        Assert.DoesNotContain('\u001b', output);
        JsonElement facts = JsonDocument.Parse(File.ReadAllText(folder.File("d.json"))).RootElement;
        Assert.Contains(
            facts.EnumerateArray(), f => f.GetProperty("subject").GetString() == "device cpu" && f.GetProperty("state").GetString() == "ok");
    }

    [Fact]
    public void ABugIsOneLineAndSeventy()
    {
        (int code, string error) = Guarded(() => throw new InvalidOperationException("first\nsecond"));
        Assert.Equal(70, code);
        Assert.Contains("this is a bug: InvalidOperationException: first second", error);
        Assert.Equal(1, error.Count(c => c == '\n'));
        (code, error) = Guarded(() => throw new InvalidOperationException("first"), "--verbose");
        Assert.Equal(70, code);
        Assert.Contains(nameof(ABugIsOneLineAndSeventy), error);
    }

    [Fact]
    public void AFileThatMayNotBeReadIsNoBug()
    {
        (int code, string error) = Guarded(() => throw new UnauthorizedAccessException("Access to the path '/x' is denied."));
        Assert.Equal((2, "ldvc: a file or folder cannot be used (Access to the path '/x' is denied)." + Environment.NewLine), (code, error));
        Assert.Equal(2, Guarded(() => throw new DirectoryNotFoundException("gone")).Code);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("", null)]
    [InlineData("256", null)]
    [InlineData("avx2", "LDVC_SIMD: expected 128, 256 or 512, found 'avx2'.")]
    [InlineData("1024", "LDVC_SIMD: expected 128, 256 or 512, found '1024'.")]
    public void AWidthThatThereIsNotIsRefused(string? value, string? expected) => Assert.Equal(expected, SimdLevel.Fault(value));

    [Fact]
    public void MemoryThatIsNotThereIsNoBug()
    {
        (int code, string error) = Guarded(() => throw new InsufficientMemoryException("no 3 GiB."));
        Assert.Equal(2, code);
        Assert.StartsWith("ldvc: there is not enough memory (no 3 GiB); expected more of it", error);
    }

    [Fact]
    public void MoreThanKernelsCountIsNoBug()
    {
        using var device = new CpuDevice(1);
        (int code, string error) = Guarded(() =>
        {
            using var tape = new Tape(device, recording: false);
            Variable x = tape.Constant(device.Zeros(new Shape(1 << 16, 1))), y = tape.Constant(device.Zeros(new Shape(1, 1 << 15)));
            return (int)tape.MatMul(x, y).Value.Count;
        });
        Assert.Equal(2, code);
        Assert.StartsWith("ldvc: ", error);
        Assert.Contains("has 2147483648 elements, expected fewer than 2^31; expected less to do at once: smaller pictures, ", error);
    }

    // Drivers of GPUs that hand memory out when it is first used say so at a launch or a copy.
    [Fact]
    public void MemoryThatADriverDoesNotHaveIsNoBug()
    {
        (int code, string error) = Guarded(() => throw new CLException(CLError.CL_MEM_OBJECT_ALLOCATION_FAILURE));
        Assert.Equal(2, code);
        Assert.StartsWith("ldvc: there is not enough memory (", error);
        Assert.Equal(70, Guarded(() => throw new CLException(CLError.CL_INVALID_KERNEL)).Code);
    }

    [Fact]
    public void AnInterruptIs130ButACancellationOfOurOwnIsABug()
    {
        Assert.Equal(70, Guarded(() => throw new OperationCanceledException()).Code);
        Assert.Equal((130, "ldvc: interrupted." + Environment.NewLine), Guarded(() => throw new OperationCanceledException(), interrupted: true));
    }

    private static (int Code, string Error) Guarded(Func<int> body, string? argument = null, bool interrupted = false)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var host = new VerbHost(output, error, false, new CancellationToken(canceled: interrupted));
        return (Application.Guard(host, argument is null ? [] : [argument], body), error.ToString());
    }
}
