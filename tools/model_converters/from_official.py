from pcdet_kd.cli.from_official import main

if __name__ == '__main__':
    raise SystemExit(main())
