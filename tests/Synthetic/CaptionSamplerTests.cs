using Ldvc.Configuration;
using Ldvc.Lab.Synthetic;
using Xunit;

namespace Ldvc.Tests.Synthetic;

public class CaptionSamplerTests
{
    private static readonly CaptionOptions Options = CaptionOptions.Default;

    [Fact]
    public void SameSeedAndStepSameBatchOnAnyNumberOfThreads()
    {
        (byte[] pictures, string[] captions) = Batch(1, 5, 24, threads: 1);
        (byte[] again, string[] captionsAgain) = Batch(1, 5, 24, threads: 2);
        (byte[] other, string[] captionsOther) = Batch(1, 6, 24, threads: 1);
        Assert.Equal(captions, captionsAgain);
        Assert.Equal(pictures, again);
        Assert.NotEqual(captions, captionsOther);
        Assert.NotEqual(pictures, other);
        Assert.Equal("a photo of a plain orange circle", captions[0]);
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(1.0)]
    public void NoTwoSamplesOfABatchMeanTheSame(double hard)
    {
        var words = Vocabulary.AllWords().ToHashSet();
        for (int step = 0; step < 4; step++)
        {
            CaptionSample[] samples = CaptionSampler.SampleScenes(2, step, 512, With(new CaptionConfig { Hard = hard }));
            Assert.Equal(512, samples.Select(s => s.Caption).Distinct().Count());
            Assert.Equal(512, samples.Select(s => s.Key).Distinct().Count());
            foreach (CaptionSample sample in samples)
            {
                string[] used = sample.Caption.Split(' ');
                Assert.All(used, word => Assert.Contains(word, words));
                Assert.InRange(used.Length, 2, 20);
            }
        }
    }

    [Fact]
    public void FullCaptionsNameTheObjectsInThePicture()
    {
        CaptionSample[] samples = CaptionSampler.SampleScenes(4, 0, 256, With(new CaptionConfig { Partial = 0, Crop = 0 }));
        foreach (CaptionSample sample in samples)
        {
            Assert.All(sample.Scene.Objects, o => Assert.Contains(o.Class.Name, sample.Caption));
        }
    }

    [Fact]
    public void PlacesAreToldAsTheyAre()
    {
        int told = 0;
        for (int step = 0; step < 8; step++)
        {
            foreach (CaptionSample sample in CaptionSampler.SampleScenes(6, step, 256, Options))
            {
                string[] relations = [" left of ", " right of ", " above ", " below "];
                int relation = Array.FindIndex(relations, r => sample.Caption.Contains(r));
                if (relation < 0 || sample.Scene.Objects.Length != 2 || sample.Scene.Objects[0].Class == sample.Scene.Objects[1].Class)
                {
                    continue;
                }

                bool firstIsZero = sample.Caption.Split(relations[relation])[0].Contains(sample.Scene.Objects[0].Class.Name);
                PlacedObject a = sample.Scene.Objects[firstIsZero ? 0 : 1], b = sample.Scene.Objects[firstIsZero ? 1 : 0];
                Assert.True(relation switch { 0 => a.X < b.X, 1 => a.X > b.X, 2 => a.Y < b.Y, _ => a.Y > b.Y }, sample.Caption);
                told++;
            }
        }

        Assert.InRange(told, 50, 1000);
    }

    [Fact]
    public void ACaptionThatNamesOneObjectFitsNoOtherPicture()
    {
        int silent = 0;
        foreach (var vocabulary in new[] { SceneVocabulary.Shapes, SceneVocabulary.Scenes })
        {
            var options = new CaptionOptions(new CaptionConfig { Vocabulary = vocabulary, Hard = 0.25, Crop = 0.8, One = 0.7, Partial = 0 }, 96);
            for (int step = 0; step < 4; step++)
            {
                CaptionSample[] samples = CaptionSampler.SampleScenes(3, step, 96, options);
                foreach (CaptionSample sample in samples.Where(s => s.Unnamed.Length > 0))
                {
                    silent++;
                    Assert.DoesNotContain(' ', sample.Key);
                    Assert.Contains(sample.Scene.Objects, o => $"{o.Class.Index}" == sample.Key && sample.Caption.Contains(o.Class.Name));
                    string[] visible = [.. sample.Scene.Objects.Select(o => $"{o.Class.Index}").Where(k => k != sample.Key)];
                    Assert.Equal(visible.Distinct().Order(), sample.Unnamed.Order());
                    Assert.DoesNotContain(samples, s => sample.Unnamed.Contains(s.Key));
                }
            }
        }

        Assert.InRange(silent, 100, 500);
    }

    [Fact]
    public void HardGroupsShareAllButOneAttribute()
    {
        CaptionSample[] samples = CaptionSampler.SampleScenes(7, 0, 64, With(new CaptionConfig { Hard = 1 }));
        int single = 0, swapped = 0;
        for (int start = 0; start < 64; start += 4)
        {
            SceneClass[][] group = [.. samples.AsSpan(start, 4).ToArray().Select(s => s.Scene.Objects.Select(o => o.Class).ToArray())];
            if (group.All(g => g.Length == 1))
            {
                SceneClass[] members = [.. group.Select(g => g[0])];
                int[] values = [.. new[] { members.Select(c => c.Texture), members.Select(c => c.Colour), members.Select(c => c.Shape) }
                    .Select(v => v.Distinct().Count()).Order()];
                single += values is [1, 1, 4] ? 1 : 0;
            }
            else if (group.All(g => g.Length == 2))
            {
                // The same words in all four: only which word belongs to which object differs.
                swapped += group.Select(g => string.Join(' ', g.SelectMany(c => c.Name.Split(' ')).Order())).Distinct().Count() == 1 ? 1 : 0;
            }
        }

        Assert.InRange(single, 6, 15);
        Assert.InRange(swapped, 1, 10);
        Assert.InRange(single + swapped, 11, 16);
    }

    [Fact]
    public void RestrictedClassesStayWithinTheirList()
    {
        SceneClass[] allowed = [.. SceneTask.Shapes.SeenNames.Select(SceneClass.Parse)];
        CaptionSample[] samples = CaptionSampler.SampleScenes(8, 0, 128, Options with { Classes = allowed });
        Assert.All(samples.SelectMany(s => s.Scene.Objects), o => Assert.Contains(o.Class, allowed));
    }

    [Fact]
    public void ProbePicturesHoldTheirClass()
    {
        ZeroShotProbe probe = ZeroShotProbe.All(300);
        Assert.Equal(256, probe.ClassNames.Length);
        Assert.Equal(3, probe.LabelOf(259));
        byte[] first = new byte[3 * 64 * 64], second = new byte[3 * 64 * 64];
        probe.Render(3, first);
        probe.Render(259, second);
        Assert.NotEqual(first, second);
        probe.Render(259, first);
        Assert.Equal(first, second);
        Assert.Throws<ArgumentOutOfRangeException>(() => probe.Render(300, first));
        Assert.Equal(30, ZeroShotProbe.Task(30).ClassNames.Length);
    }

    private static (byte[] Pictures, string[] Captions) Batch(ulong seed, long step, int count, int threads)
    {
        byte[] pictures = new byte[count * 3 * 64 * 64];
        string[] captions = new string[count];
        CaptionSampler.SampleBatch(seed, step, count, pictures, captions, Options, threads);
        return (pictures, captions);
    }

    private static CaptionOptions With(CaptionConfig shares) => Options with { Shares = shares };
}
