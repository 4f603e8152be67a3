"""Text tables in every dialect give the same rows, or one line that says what is wrong."""

import gzip
import os

import numpy as np
import pytest
from astropy.table import Table

from gcmock.errors import InputError
from gcmock.io.observed import read_observed
from gcmock.io.readers.opening import open_table
from gcmock.settings.build import Config, load_config

DIALECTS = {
    "comma.csv": "id,ra,dec,ks\n1,266.1,-29.1,12.5\n2,266.2,-29.2,\n",
    "padded.csv": "id , ra, dec ,ks\n1 , 266.1, -29.1 , +12.5\n2,266.2,-29.2, NaN \n",
    "tab.tsv": "id\tra\tdec\tks\n1\t266.1\t-29.1\t12.5\n2\t266.2\t-29.2\t\n",
    "tab.csv": "id\tra\tdec\tks\n1\t266.1\t-29.1\t12.5\n2\t266.2\t-29.2\t\n",
    "semicolon.txt": "id;ra;dec;ks\n1;266.1;-29.1;12.5\n2;266.2;-29.2;\n",
    "bar.txt": "id|ra|dec|ks\n1|266.1|-29.1|12.5\n2|266.2|-29.2|\n",
    "blank.dat": "# hello\n  id  ra   dec  ks\n\n 1 266.1  -29.1 12.5  \n 2 266.2 -29.2\tNaN\n",
    "names_in_a_comment.dat": "# mine\n# id ra dec ks\n1 266.1 -29.1 12.5\n2 266.2 -29.2 nan\n",
    "mark_of_the_byte_order.csv": "\ufeffid,ra,dec,ks\n1,266.1,-29.1,12.5\n2,266.2,-29.2,\n",
    "comments.csv": "# x\n#y\nid,ra,dec,ks\n1,266.1,-29.1,12.5\n# z\n2,266.2,-29.2,\n# end\n",
    "units.csv": "id,ra,dec,ks\n,deg,deg,mag\n1,266.1,-29.1,12.5\n2,266.2,-29.2,\n",
    "vizier.tsv": "#Column x\n#\n\nid\tra\tdec\tks\n\tdeg\tdeg\tmag\n--\t---\t---\t---\n"
    "1\t266.1\t-29.1\t12.5\n2\t266.2\t-29.2\t\n",
    "windows.csv": "id,ra,dec,ks\r\n1,266.1,-29.1,12.5\r\n2,266.2,-29.2,\r\n",
    "no_end_of_line.csv": "id,ra,dec,ks\n1,266.1,-29.1,12.5\n2,266.2,-29.2,",
    "quoted.csv": '"id","ra","dec","ks"\n"1","266.1","-29.1","12.5"\n"2","266.2","-29.2",""\n',
    "fortran.csv": "id,ra,dec,ks\n1,2.661D+02,-29.1,12.5\n2,266.2,-29.2,\n",
    "ipac.tbl": "\\name = x\n|id |ra    |dec   |ks   |\n|int|double|double|double|\n"
    "|   |deg   |deg   |mag  |\n|   |null  |null  |null |\n"
    " 1   266.1  -29.1  12.5 \n 2   266.2  -29.2  null \n",
}


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("name", DIALECTS)
def test_every_dialect(tmp_path, name, compressed):
    path = tmp_path / (name + ".gz" if compressed else name)
    content = DIALECTS[name].encode()
    path.write_bytes(gzip.compress(content) if compressed else content)
    source = open_table(path)
    (found,) = source.chunks(10)
    assert source.n_rows == 2
    assert source.columns == ("id", "ra", "dec", "ks")
    np.testing.assert_array_equal(found["id"], [1, 2])
    assert found["id"].dtype.kind == "i"
    np.testing.assert_array_equal(found["ra"], [266.1, 266.2])
    np.testing.assert_array_equal(found["dec"], [-29.1, -29.2])
    np.testing.assert_array_equal(found["ks"], [12.5, np.nan])
    if name in ("units.csv", "vizier.tsv", "ipac.tbl"):
        assert source.units == {"ra": "deg", "dec": "deg", "ks": "mag"}


def test_blanks_across_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("gcmock.io.readers.delimited._BLOCK", 64)
    path = tmp_path / "t.dat"
    rows = [f"  {i}   {i / 7:.6f}\t {'x' * (i % 5 + 1)}  " for i in range(500)]
    path.write_text("n v t\n" + "\n".join(rows) + "\n")
    found = list(open_table(path).chunks(1000))
    np.testing.assert_array_equal(np.concatenate([x["n"] for x in found]), np.arange(500))
    assert "".join(np.concatenate([x["t"] for x in found])) == "".join(r.split()[2] for r in rows)


@pytest.mark.parametrize("texts", [["000007", "8"], ["2E1", "3E1"], ["0x3E8", "1"], ["+7", "8"]])
def test_identifiers_stay_as_they_are_written(tmp_path, texts):
    path = tmp_path / "t.csv"
    rows = "".join(f"{text},266.1,-29.1,12.5\n" for text in texts)
    path.write_text("source_id,ra,dec,phot_ks_mag\n" + rows)
    (stars,) = read_observed(path, Config()).chunks()
    assert stars.source_id.tolist() == texts


def test_latin_1_in_columns_that_are_not_used(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes("source_id,ra,dec,phot_ks_mag,x\n1,266.1,-29.1,12.5,é\n".encode("latin-1"))
    (stars,) = read_observed(path, Config()).chunks()
    assert stars.mag[0, 2] == 12.5
    config = load_config(None, {"columns": {"source_id": "x"}})
    with pytest.raises(InputError, match="column 'x' holds text that is not UTF-8"):
        read_observed(path, config)


CUT = "a,b\n" + "".join(f"{i},12.5432\n" for i in range(5))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("t.csv", CUT + "6,12", "the file was cut"),
        ("t.csv", CUT + "6", "damaged or not readable: CSV parse error"),
        ("t.csv", "a,b,a\n1,2,3\n", "column 'a' occurs more than once"),
        ("t.tsv", "a\tb \tb\n1\t2\t3\n", "column 'b' occurs more than once"),
        ("t.dat", "1 2 3\n4 5 6\n", "no line with the names"),
        ("t.dat", "a b c\n1 2 3\n4 5\n", "damaged or not readable"),
        ("t.csv", "a,b\n", "has no rows"),
        ("t.txt", "# only\n# comments\n", "has no rows"),
        ("t.xyz", "a,b\n1,2\n", "unknown file type '.xyz'"),
    ],
)
def test_one_line_for_what_cannot_be_read(tmp_path, name, content, words):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(InputError, match=words) as caught:
        open_table(path)
    assert "\n" not in str(caught.value)


def test_utf_16_cut_archives_and_pipes(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(DIALECTS["comma.csv"].encode("utf-16"))
    with pytest.raises(InputError, match="UTF-16"):
        open_table(path)
    path = tmp_path / "t.csv.gz"
    packed = gzip.compress(os.urandom(40_000).hex().encode())
    path.write_bytes(packed[:-20_000])
    with pytest.raises(InputError, match=r"ends too early|damaged"):
        open_table(path)
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(InputError, match="a pipe or a device"):
        open_table(tmp_path / "pipe.csv")


@pytest.mark.parametrize("name", ["stars.dat", "stars.dat.gz"])
def test_cds_table_with_its_readme(tmp_path, name):
    (tmp_path / "ReadMe").write_text(
        "Byte-by-byte Description of file: stars.dat\n" + "-" * 80 + "\n"
        "   Bytes Format Units   Label   Explanations\n" + "-" * 80 + "\n"
        "   1-  2  I2    h       RAh     Hour\n"
        "   4-  5  I2    min     RAm     Minute\n"
        "   7- 11  F5.2  s       RAs     Second\n"
        "      13  A1    ---     DE-     Sign\n"
        "  14- 15  I2    deg     DEd     Degree\n"
        "  17- 18  I2    arcmin  DEm     Arcminute\n"
        "  20- 23  F4.1  arcsec  DEs     Arcsecond\n"
        "  25- 30  F6.3  mag     phot_ks_mag  ?=99.999 Magnitude\n" + "-" * 80 + "\n"
    )
    rows = b"17 45 40.04 -29 00 28.1 12.500\n17 46 00.00 -00 30 00.0 99.999\n"
    (tmp_path / name).write_bytes(gzip.compress(rows) if name.endswith(".gz") else rows)
    catalogue = read_observed(tmp_path / name, Config())
    (stars,) = catalogue.chunks()
    np.testing.assert_allclose(stars.ra, [266.416833, 266.5], atol=1e-6)
    np.testing.assert_allclose(stars.dec, [-29.007806, -0.5], atol=1e-6)
    np.testing.assert_array_equal(stars.mag[:, 2], [12.5, np.nan])


def test_machine_readable_table(tmp_path):
    table = Table({"ra": [266.1, 266.2], "dec": [-29.1, -29.2], "phot_ks_mag": [12.5, 12.6]})
    table.write(tmp_path / "t.mrt", format="ascii.mrt")
    (stars,) = read_observed(tmp_path / "t.mrt", Config()).chunks()
    np.testing.assert_allclose(stars.mag[:, 2], [12.5, 12.6])
