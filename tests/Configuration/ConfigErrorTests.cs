using Ldvc.Configuration;
using Ldvc.Tensors;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Configuration;

public sealed class ConfigErrorTests
{
    [Theory]
    [InlineData("train:\n  lr: 1\n  iteratoins: 5", "c.yaml:3: train.iteratoins: no such key; did you mean iterations?")]
    [InlineData("trian: {}", "c.yaml:1: trian: no such key; did you mean train? (known: clip, model,")]
    [InlineData("train: {batch: 1.5}", "c.yaml:1: train.batch: expected a whole number from 1 to 65536, found '1.5'")]
    [InlineData("train: {batch: \"5\"}", "train.batch: expected a whole number from 1 to 65536, found the text '5'")]
    [InlineData("train: {batch: 99999999999999999999}", "train.batch: expected a whole number")]
    [InlineData("train: {batch: 0}", "found '0'")]
    [InlineData("train: {batch: }", "train.batch: expected a whole number from 1 to 65536, found nothing")]
    [InlineData("train: {batch: [1]}", "found a list of one value")]
    [InlineData("train: {batch: {a: 1}}", "found a section of keys")]
    [InlineData("train: {lr: .nan}", "train.lr: expected a number of at least 0, found '.nan'")]
    [InlineData("train: {lr: NaN}", "found 'NaN'")]
    [InlineData("train: {lr: 1e999}", "found '1e999'")]
    [InlineData("train: {lr: Infinity}", "found 'Infinity'")]
    [InlineData("train: {lr: '1,5'}", "found the text '1,5'")]
    [InlineData("train: {eps: 0}", "train.eps: expected a number above 0, found '0'")]
    [InlineData("train: {seed: -1}", "train.seed: expected a whole number of at least 0, found '-1'")]
    [InlineData("train: {betas: [0.9]}", "train.betas: expected a list of 2 numbers of at least 0, below 1, found a list of one value")]
    [InlineData("train: {betas: [0.9, 1]}", "train.betas: expected a list of 2 numbers of at least 0, below 1, found '1'")]
    [InlineData("train: {setting: Inductive}", "train.setting: expected one of inductive, transductive, full, found 'Inductive'")]
    [InlineData("train: {setting: 1}", "train.setting: expected one of")]
    [InlineData("model: {cls_twice: yes}", "model.cls_twice: expected true or false, found 'yes'")]
    [InlineData("model: {template: a cat}", "model.template: expected a sentence with {class} in it once")]
    [InlineData("model: {template: []}", "model.template: expected a sentence with {class} in it, a list of them or imagenet-80, found none")]
    [InlineData("model: {template: ['a {class}', 'a cat'], prompts: {text: 0}}", "model.template: expected a sentence with {class} in it once or "
        + "imagenet-80, found 'a cat'")]
    [InlineData("model: {template: ['a {class}', 'the {class}']}", "model.template: expected one sentence for the 4 text prompts, which take the "
        + "places of its words, found 2")]
    [InlineData("model: {template: imagenet-80}", "found 80; model.prompts.text = 0 has none")]
    [InlineData("model: {template: \"{class} <|EndOfText|>\"}", "expected a sentence of words, found '{class} <|EndOfText|>', which would end")]
    [InlineData("model: {template: imagenet-81}", "expected a sentence with {class} in it once or imagenet-80, found 'imagenet-81'")]
    [InlineData("model: {template: {a: b}}", "model.template: expected text or a list of texts, found a section of keys")]
    [InlineData("training_free: {template: cat}", "training_free.template: expected a sentence")]
    [InlineData("training_free: {attention: kk}", "training_free.attention: expected one of plain, qq, qq+kk, found 'kk'")]
    [InlineData("training_free: {stride: 449}", "training_free.stride: expected at most training_free.window = 448, found 449")]
    [InlineData("training_free: {scale: 0}", "training_free.scale: expected a number above 0")]
    [InlineData("model: 5", "c.yaml:1: model: expected a section of keys, found '5'")]
    [InlineData("data: {unseen: cat}", "data.unseen: expected a list of texts, found 'cat' (a list stands in brackets: [cat]).")]
    [InlineData("train: {eps: 1e-60}", "train.eps: expected a number above 0, found '1e-60', which is 0 in float32.")]
    [InlineData("train: {lr: 1e39}", "train.lr: expected a number of at least 0, found '1e39', which is infinite in float32.")]
    [InlineData("train: {lr: 1e400}", "train.lr: expected a number of at least 0, found '1e400', which is infinite in float32.")]
    [InlineData("train: {lr: -1e39}", "train.lr: expected a number of at least 0, found '-1e39'.")]
    [InlineData("train: {betas: [0.9, 0.999999999]}", "a list of 2 numbers of at least 0, below 1, found '0.999999999', which is 1 in float32.")]
    [InlineData("model: {decoder: {dropout: 0.999999999}}", "model.decoder.dropout: expected a number of at least 0, below 1, found '0.999999999', "
        + "which is 1 in float32.")]
    [InlineData("base: $LDVC_NOT_SET/x.yaml", "c.yaml:1: base: the environment variable LDVC_NOT_SET in")]
    [InlineData("data: {unseen: [[cat]]}", "data.unseen: expected a list of texts, found a list of one value")]
    [InlineData("train:\n  lr: 1\n  lr: 2", "c.yaml:3: key 'lr' stands here twice, first on line 2")]
    [InlineData("data: {synthetic: {noise: 50}}", "data.synthetic.noise: expected a data.synthetic.vocabulary of scenes beside it")]
    [InlineData("augment: {ratio: [2, 1]}", "c.yaml:1: augment.ratio: expected [smallest, largest], found [2, 1]")]
    [InlineData("train: {transductive: {from: x.safetensors}}", "c.yaml:1: train.transductive.from: expected train.setting: transductive beside it "
        + "(other training starts from no checkpoint), found 'x.safetensors' and inductive")]
    [InlineData("data: {kind: folder, variant: 60}", "c.yaml:1: data.variant: expected data.kind: context beside it, found 60 and folder")]
    [InlineData("data: {kind: folder, colors: $LDVC_NOT_SET/p.txt}", "data.colors: the environment variable LDVC_NOT_SET in")]
    [InlineData("data: {root: ~nobody/x/y}", "data.root: the home folder of another user, '~nobody', is not looked up")]
    [InlineData("train: {out: ~nobody/x}", "train.out: the home folder of another user, '~nobody', is not looked up")]
    [InlineData("ablate: {splits: [a.txt, $LDVC_NOT_SET/b.txt]}", "ablate.splits: the environment variable LDVC_NOT_SET in")]
    [InlineData("train: {accumulate: 3}", "train.accumulate: expected a divisor of train.batch = 16, found 3")]
    [InlineData("eval: {stride: 513}", "eval.stride: expected at most eval.window = 512, found 513")]
    [InlineData("pretrain: {vision: {image: 60}}", "pretrain.vision.image: expected a multiple of pretrain.vision.patch = 8, found 60")]
    [InlineData("- a\n- b", "c.yaml:1: expected keys with values (\"train:\"), found a list of 2 values")]
    [InlineData("just text", "found 'just text'")]
    [InlineData("train: {lr: 1", "not valid YAML")]
    [InlineData("train:\n\tlr: 1", "c.yaml:1: not valid YAML")]
    [InlineData("train: {}\n---\neval: {}", "expected one YAML document")]
    [InlineData("a: &x {lr: 1}\nb: *x", "c.yaml:1: YAML anchors and aliases")]
    [InlineData("train:\n  : 1.0e-4\n  iterations: 5\n", "not valid YAML: expected a key and its value, as in 'key: value'.")]
    [InlineData("clip:\n  ? : auto\ntrain:\n  lr: 1\n", "not valid YAML: expected a key and its value, as in 'key: value'.")]
    [InlineData("train: *x", "not")]
    [InlineData("train: !!map {}", "YAML tags")]
    [InlineData("train: {lr: !!float 1}", "YAML tags")]
    [InlineData("? [a]\n: b", "expected a word as key")]
    [InlineData("base: [a.yaml, {b: c}]", "c.yaml:1: base: expected")]
    [InlineData("base:", "base: expected the path of a file or a list of paths, found nothing")]
    [InlineData("base: nothere.yaml", "c.yaml:1: base: expected a configuration file, but there is no")]
    public void BadFilesAreNamedByLineAndKey(string yaml, string expected) => Assert.Contains(expected, ConfigFiles.Refuses(yaml));

    [Theory]
    [InlineData("train.lr", "--set 'train.lr': expected KEY=VALUE")]
    [InlineData("data.values={1: a, 1: b}", "--set data.values: key '1' stands here twice.")]
    [InlineData("=5", "--set '=5': expected KEY=VALUE")]
    [InlineData("train..lr=5", "expected KEY=VALUE with a dotted key")]
    [InlineData("train.lr=x", "--set train.lr: train.lr: expected a number of at least 0, found 'x'")]
    [InlineData("train.lrr=1", "train.lrr: no such key; did you mean lr?")]
    [InlineData("train.lr.x=1", "train.lr: expected a number of at least 0, found a section of keys")]
    [InlineData("train.betas=[0.9", "--set train.betas: not valid YAML")]
    [InlineData("model.template=a caf\uFFFD {class}", "--set 'model.template=a caf\uFFFD {class}': expected text in UTF-8")]
    [InlineData("base=x.yaml", "--set base: a base can only be named in a file")]
    [InlineData("data.root=/data/my #1 set", "--set data.root: expected a value without a comment, found '/data/my #1 set': what follows a blank")]
    [InlineData("ablate.rows=zegclip,ldvc", "found 'zegclip,ldvc' (a list stands in brackets: [zegclip,ldvc]).")]
    [InlineData("augment.ratio=[3,1]", "--set augment.ratio: augment.ratio: expected [smallest, largest]")]
    public void BadSetsAreNamed(string set, string expected) => Assert.Contains(expected, ConfigFiles.Refuses("", set));

    // Options that do nothing are refused where people wrote them; a checkpoint may have them from before they were.
    [Fact]
    public void WhatCheckpointsKeepIsReadAsItIs()
    {
        LdvcConfig config = ConfigLoader.Parse(
            "train: {transductive: {from: x}}\ndata: {kind: voc, variant: 60, zero_is_ignored: false}", "checkpoint");
        Assert.Equal(("x", 60, false), (config.Train.Transductive.From, config.Data.Variant, config.Data.ZeroIsIgnored));
    }

    [Fact]
    public void FilesThatAreNoTextOrTooLargeAreRefused()
    {
        using var folder = new TempFolder();
        Assert.Contains("none.yaml: expected a configuration file, but there is none", ConfigFiles.Refuses(folder, "none.yaml"));
        Directory.CreateDirectory(folder.File("dir"));
        Assert.Contains("it is a folder", ConfigFiles.Refuses(folder, "dir"));
        File.WriteAllText(folder.File("based.yaml"), "base: dir\n");
        Assert.Contains("it is a folder", ConfigFiles.Refuses(folder, "based.yaml"));
        File.CreateSymbolicLink(folder.File("link.yaml"), folder.File("gone.yaml"));
        File.WriteAllText(folder.File("linked.yaml"), "base: link.yaml\n");
        const string dead = "there is none, but a link to gone.yaml, which is not there.";
        Assert.Contains(dead, ConfigFiles.Refuses(folder, "link.yaml"));
        Assert.Contains(dead, ConfigFiles.Refuses(folder, "linked.yaml"));
        Assert.Contains("there is none, as its name has bytes that are not UTF-8", ConfigFiles.Refuses(folder, "a\uFFFD.yaml"));
        File.WriteAllBytes(folder.File("bytes.yaml"), [0x74, 0xff, 0xfe, 0x00]);
        Assert.Contains("expected YAML text in UTF-8", ConfigFiles.Refuses(folder, "bytes.yaml"));
        File.WriteAllText(folder.File("big.yaml"), "# " + new string('x', YamlReader.LargestFile));
        Assert.Contains("at most 1048576", ConfigFiles.Refuses(folder, "big.yaml"));
    }

    [Theory]
    [InlineData("[", 500_000)]
    [InlineData("{a: ", 200_000)]
    [InlineData("- ", 400_000)]
    public void NestingIsBounded(string opening, int count)
    {
        string yaml = "train: " + string.Concat(Enumerable.Repeat(opening, count));
        string message = ConfigFiles.Refuses(yaml);
        Assert.True(message.Contains("16 levels", StringComparison.Ordinal) || message.Contains("not valid YAML", StringComparison.Ordinal), message);
    }

    [Fact]
    public void DamagedFilesNeverThrowAnythingElse()
    {
        byte[] good = File.ReadAllBytes(Path.Combine(ConfigFiles.Repository, "configs", "base.yaml"));
        var random = new CounterRandom(7, 1);
        string alphabet = ":-[]{}#&*!|>'\"%@`,? \n\tae01.~<";
        using var folder = new TempFolder();
        int refused = 0;
        for (int round = 0; round < 100; round++)
        {
            byte[] bytes = [.. good];
            for (int change = random.NextInt(1, 6); change > 0; change--)
            {
                bytes[random.NextInt(bytes.Length)] = (byte)alphabet[random.NextInt(alphabet.Length)];
            }

            File.WriteAllBytes(folder.File("f.yaml"), bytes);
            try
            {
                ConfigLoader.Load(folder.File("f.yaml"));
            }
            catch (InputException e)
            {
                Assert.DoesNotContain('\n', e.Message);
                refused++;
            }
        }

        Assert.InRange(refused, 10, 99);
    }
}
